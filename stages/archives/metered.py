"""A stream that counts what is read from it."""

import io
from typing import IO, TYPE_CHECKING

from stages.archives.limits import Budget
from stages.base.errors import InputError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_READ = 4 * 2**20  # bytes at once; tarfile reads a header of any size in one piece


class Metered(io.RawIOBase):
    """A readable, seekable view of another stream, which it does not close.

    Args:
        stream: the other stream.
        budget: counts the bytes that are read or skipped, and raises InputError where they become too many.
    """

    def __init__(self, stream: IO[bytes], budget: Budget) -> None:
        self._stream, self._budget = stream, budget

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        before = self._stream.tell()
        after = self._stream.seek(offset, whence)
        self._budget.spend_bytes(max(0, after - before))  # a compressed stream decompresses what it skips
        return after

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_READ:
            raise InputError(f"a header of {size:,} bytes in an archive; download or copy it again")
        content = self._stream.read(size)
        self._budget.spend_bytes(len(content))
        return content

    def readinto(self, buffer: "WriteableBuffer") -> int:
        content = self.read(len(memoryview(buffer)))
        memoryview(buffer)[: len(content)] = content
        return len(content)
