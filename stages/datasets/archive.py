"""Archives read member by member, never unpacked: no stray files, no path outside, no more memory than one member."""

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from stages.base.errors import InputError

MEMBER_BYTES = 64 * 2**20  # no picture or list of ours comes near; a decompression bomb stops here
LINE_BYTES = 2**20
DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Member:
    """One file of an archive; open only while the archive is iterated over."""

    name: str
    open: Callable[[], BinaryIO]

    def read(self) -> bytes | None:
        """Its content, or None where that is more than `MEMBER_BYTES`. Raises InputError where it is damaged."""
        with _intact(self.name), self.open() as stream:
            content = stream.read(MEMBER_BYTES + 1)
        return content if len(content) <= MEMBER_BYTES else None

    def lines(self) -> Iterator[str]:
        """Its lines, as UTF-8 text. Raises InputError where it is damaged, not text, or a line is overlong."""
        with _intact(self.name), self.open() as stream:
            number = 0
            while line := stream.readline(LINE_BYTES + 1):
                number += 1
                if len(line) > LINE_BYTES:
                    raise InputError(f"{self.name}:{number}: a line of over {LINE_BYTES} bytes is no table of faces")
                try:
                    yield line.decode("utf-8-sig")
                except UnicodeDecodeError:
                    raise InputError(f"{self.name}:{number}: not text in UTF-8; is this the right file?") from None


class Archive:
    """A data set as it was served: the zip, tar and csv files in one folder, in the order of their names."""

    def __init__(self, folder: Path) -> None:
        self.files = sorted(p for p in folder.iterdir() if p.is_file() and p.name != "source.json")

    def __iter__(self) -> Iterator[Member]:
        """Every file in the archives, folders and links left out. Raises InputError where an archive is damaged."""
        for path in self.files:
            with _intact(path.name):
                yield from _members(path)

    def __str__(self) -> str:
        return ", ".join(path.name for path in self.files)


def _members(path: Path) -> Iterator[Member]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    yield Member(info.filename, lambda info=info: archive.open(info))
    elif path.suffix.lower() == ".csv":
        yield Member(path.name, lambda: path.open("rb"))
    else:
        with tarfile.open(path) as archive:
            for info in archive:
                if info.isfile():
                    yield Member(info.name, lambda info=info: archive.extractfile(info))


@contextmanager
def _intact(name: str) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        why = (str(error) or type(error).__name__).partition("\n")[0].rstrip(":")
        raise InputError(f"{name}: cut short, damaged or not an archive ({why}); get the file again") from None
