"""Members of tar files, whose damage is told apart from their end."""

import tarfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import partial
from typing import IO

from stages.archives.member import CHUNK, Member
from stages.archives.names import is_litter, short_name
from stages.base.errors import InputError


def tar_members(stream: IO[bytes], name: str) -> Iterator[Member]:
    """Yield the files of a tar file; hard links are files of their own.

    `tarfile` takes a damaged header for the end; here, only zeros may follow the last file, and at least one block of
    them must.

    Args:
        stream: its content, uncompressed and seekable.
        name: its name, for messages.

    Raises:
        InputError: it holds a symbolic link, a device or a pipe.
        tarfile.ReadError: it is damaged or cut short.
    """
    archive = tarfile.TarFile(fileobj=stream, mode="r", encoding="utf-8", errors="surrogateescape")
    while (info := archive.next()) is not None:
        if info.isdir() or is_litter(info.name):
            continue
        if not (info.isreg() or info.islnk()):
            kind = f"a link to {short_name(info.linkname)}" if info.issym() else "a device or pipe"
            raise InputError(f"{name}: {short_name(info.name)} is {kind}; pack the file itself in its place")
        yield Member(info.name, partial(_open, archive, info), _date(info))
    _check_end(stream, archive.offset)


def _check_end(stream: IO[bytes], offset: int) -> None:
    stream.seek(offset)
    zeros = 0
    while chunk := stream.read(CHUNK):
        if chunk.count(0) != len(chunk):
            raise tarfile.ReadError(f"a damaged header at byte {offset:,}")
        zeros += len(chunk)
    if zeros < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("cut short: no end mark")


def _open(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(info)
    if stream is None:
        raise tarfile.ReadError("a link to something that is not a file")
    return stream


def _date(info: tarfile.TarInfo) -> date | None:
    with suppress(ValueError, OverflowError, OSError):  # beyond what a date can be
        return datetime.fromtimestamp(info.mtime, UTC).date()
    return None
