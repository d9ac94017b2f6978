"""One file of an archive."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from typing import IO, NamedTuple

from stages.archives.errors import damage_as_input_error
from stages.archives.names import shorten
from stages.archives.sniffing import HEAD, PICTURE_ENDINGS, sniff
from stages.archives.text import read_lines, read_rows
from stages.base.errors import InputError

MAX_BYTES = 32 * 2**20  # more than any image or label list needs; stops a decompression bomb
CHUNK = 2**20  # bytes read at a time


class Member(NamedTuple):
    """One file of an archive. It can be opened only while the iteration over the archive is at it, or `lasting`.

    Attributes:
        name: path of the file within the archive, as `clean_name` returns it.
        open: returns a binary stream of the file's content.
        modified: date of its last modification; None if the archive does not state it.
        lasting: whether it can be opened as long as the archive exists.
    """

    name: str
    open: Callable[[], IO[bytes]]
    modified: date | None = None
    lasting: bool = False

    @property
    def file(self) -> str:
        """The last part of the name."""
        return self.name.rsplit("/", 1)[-1]

    @property
    def folders(self) -> list[str]:
        """The other parts of the name, from the outermost to the innermost."""
        return self.name.split("/")[:-1]

    def kind(self) -> str:
        """Return the kind of the content (`sniff`); a file whose name ends as a picture's does is taken for one."""
        if self.name.rpartition(".")[2].lower() in PICTURE_ENDINGS:
            return "picture"
        with damage_as_input_error(self.name), self.open() as stream:
            return sniff(stream.read(HEAD))

    def read(self) -> bytes | None:
        """Return the content, or None if it is larger than `MAX_BYTES`.

        Raises:
            InputError: the member is damaged.
        """
        chunks: list[bytes] = []
        length = 0
        with damage_as_input_error(self.name), self.open() as stream:
            while length <= MAX_BYTES:
                chunks.append(stream.read(CHUNK))
                length += len(chunks[-1])
                if len(chunks[-1]) < CHUNK:
                    break
        return b"".join(chunks) if length <= MAX_BYTES else None

    def header(self) -> list[str]:
        """Return the fields of the first line of a table; [] if it has none that can be read."""
        with suppress(InputError):
            return next(self.rows(limit=2), (1, []))[1]
        return []

    def rows(self, limit: int) -> Iterator[tuple[int, list[str]]]:
        """Yield the number and the fields of each line of a table.

        Args:
            limit: largest number of lines.

        Raises:
            InputError: the member is damaged or no text, has too many or too long lines, or an unclosed quote.
        """
        name = shorten(self.name)
        with damage_as_input_error(name), self.open() as stream:
            yield from read_rows(read_lines(stream, name, limit), name)
