"""Archives that are read member by member and never unpacked.

Nothing from an archive is written to disk as a file of its own, and at most one member is in memory.
"""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from stages.base.errors import InputError

MAX_MEMBER_BYTES = 64 * 2**20  # more than any image or label list needs; stops a decompression bomb
MAX_LINE_BYTES = 2**20
READ_ERRORS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True)
class Member:
    """One file of an archive. It can be opened only while the archive is iterated over.

    Attributes:
        name: path of the file within the archive.
        open: returns a binary stream of the file's content.
    """

    name: str
    open: Callable[[], IO[bytes]]

    def read(self) -> bytes | None:
        """Return the content, or None if it is larger than `MAX_MEMBER_BYTES`.

        Raises:
            InputError: the member is damaged.
        """
        with _read_errors_as_input_error(self.name), self.open() as stream:
            content = stream.read(MAX_MEMBER_BYTES + 1)
        return content if len(content) <= MAX_MEMBER_BYTES else None

    def lines(self) -> Iterator[str]:
        """Yield the lines of a UTF-8 text file.

        Raises:
            InputError: the member is damaged or is not UTF-8 text, or a line is longer than `MAX_LINE_BYTES`.
        """
        with _read_errors_as_input_error(self.name), self.open() as stream:
            number = 0
            while line := stream.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise InputError(
                        f"{self.name}:{number}: the line is longer than {MAX_LINE_BYTES} bytes; is this the right file?"
                    )
                try:
                    yield line.decode("utf-8-sig")
                except UnicodeDecodeError:
                    raise InputError(f"{self.name}:{number}: not UTF-8 text; is this the right file?") from None


class Archive:
    """The zip, tar and csv files of one data set, as distributed.

    Args:
        folder: folder with these files; `source.json` is ignored.
    """

    def __init__(self, folder: Path) -> None:
        self.files = sorted(p for p in folder.iterdir() if p.is_file() and p.name != "source.json")

    def __iter__(self) -> Iterator[Member]:
        """Yield every regular file of the archives, which are sorted by name; folders and links are skipped.

        Raises:
            InputError: an archive is damaged.
        """
        for path in self.files:
            with _read_errors_as_input_error(path.name):
                yield from _members(path)

    def __str__(self) -> str:
        return ", ".join(path.name for path in self.files)


def _members(path: Path) -> Iterator[Member]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as zip_file:
            for zip_info in zip_file.infolist():
                if not zip_info.is_dir():
                    yield Member(zip_info.filename, partial(zip_file.open, zip_info))
    elif path.suffix.lower() == ".csv":
        yield Member(path.name, lambda: path.open("rb"))
    else:
        with tarfile.open(path) as tar_file:
            for tar_info in tar_file:
                if tar_info.isfile():
                    yield Member(tar_info.name, partial(_open_tar_member, tar_file, tar_info))


def _open_tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(info)
    assert stream is not None  # it is None only for folders and special files
    return stream


@contextmanager
def _read_errors_as_input_error(name: str) -> Iterator[None]:
    try:
        yield
    except READ_ERRORS as error:
        reason = (str(error) or type(error).__name__).partition("\n")[0].rstrip(":")
        raise InputError(
            f"{name}: truncated, damaged or not an archive ({reason}); download or copy the file again"
        ) from None
