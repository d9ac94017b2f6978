"""Bounds on what one reading of an archive may unpack, so that no archive exhausts the machine."""

from stages.base.errors import InputError
from stages.params.data import Limits

FREE_BYTES = 64 * 2**20  # may be unpacked from any archive, however small it is


class Budget:
    """What may still be unpacked from an archive.

    Args:
        limits: section `data.limits`.
        name: name of the archive, for messages.
        size: its size in bytes, as it is stored.
    """

    def __init__(self, limits: Limits, name: str, size: int) -> None:
        self._name, self._size, self._limits = name, size, limits
        self._most_bytes = min(limits.gigabytes * 10**9, FREE_BYTES + limits.expansion * size)
        self._bytes = self._members = 0

    def spend_bytes(self, count: int) -> None:
        """Count bytes that are unpacked; raise InputError if they become too many."""
        self._bytes += count
        if self._bytes > self._most_bytes:
            raise InputError(
                f"{self._name}: {self._size:,} bytes that unpack to more than {self._most_bytes:,.0f}; if the file is "
                "right, raise data.limits.expansion or data.limits.gigabytes"
            )

    def spend_member(self) -> None:
        """Count a file; raise InputError if there are too many."""
        self.check_members(1)
        self._members += 1

    def check_members(self, count: int) -> None:
        """Raise InputError if this many files are too many."""
        if self._members + count > self._limits.members:
            raise InputError(
                f"{self._name}: more than {self._limits.members:,} files; if it is right, raise data.limits.members"
            )
