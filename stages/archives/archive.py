"""Archives that are read member by member and never unpacked.

One layer opens everything: zip, tar (plain or compressed), a compressed or plain table, and archives within archives.
What a file is, its content decides (`sniffing`). At most one member is in memory; an archive within an archive is
copied to a temporary file without a name while it is read.
"""

import bz2
import gzip
import io
import lzma
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from stages.archives.errors import damage_as_input_error
from stages.archives.limits import Budget
from stages.archives.member import CHUNK, Member
from stages.archives.metered import Metered
from stages.archives.names import clean_name, shorten
from stages.archives.sniffing import CONTAINERS, HEAD, PACKED, UNSUPPORTED, sniff
from stages.archives.tar_files import tar_members
from stages.archives.zip_files import zip_members
from stages.base.errors import InputError
from stages.params.data import Limits

MAX_DEPTH = 3  # a folder is packed into an archive, whose archives can hold archives that hold archives
DECOMPRESSORS: dict[str, Callable[..., Any]] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
ENDINGS = (".gz", ".bz2", ".xz", ".lzma")


class Archive:
    """The archives and tables of one data set, as distributed.

    A zip file without archives in it is listed once, at the first iteration, and stays open as long as this object.

    Args:
        *files: the files.
        limits: bounds on what they may hold.
    """

    def __init__(self, *files: Path, limits: Limits) -> None:
        self.files, self.limits = files, limits
        self._listed: dict[Path, list[Member]] = {}

    def __iter__(self) -> Iterator[Member]:
        """Yield every file of the archives and of the archives in them; folders and `is_litter` are left out.

        Raises:
            InputError: an archive is damaged, needs a password, is of a kind that is not read, holds a link or device,
                or exceeds `limits`.
        """
        for path in self.files:
            yield from self._members(path)

    def __str__(self) -> str:
        return ", ".join(path.name for path in self.files)

    def _members(self, path: Path) -> Iterator[Member]:
        if path in self._listed:
            yield from self._listed[path]
            return
        count, last, lasting = 0, "", []
        with (
            damage_as_input_error(
                path.name, lambda: f"{count:,} files were read before, the last one is {shorten(last)}" if count else ""
            ),
            ExitStack() as files,
        ):
            budget = Budget(self.limits, path.name, path.stat().st_size)
            stream = files.enter_context(path.open("rb"))
            for member in open_file(stream, path.name, "", budget):
                yield member
                count, last = count + 1, member.name
                if member.lasting:
                    lasting.append(member)
            if len(lasting) == count:
                self._listed[path] = lasting
                weakref.finalize(self, files.pop_all().close)


def open_file(stream: IO[bytes], name: str, prefix: str, budget: Budget, depth: int = 0) -> Iterator[Member]:
    """Yield the members of one file, and those of the archives in it.

    Args:
        stream: its content, seekable.
        name: its name, which the member has if it is a table.
        prefix: goes before the names of its members.
        budget: what may be unpacked.
        depth: number of archives in which it lies.
    """
    full = shorten(prefix.removesuffix("/") or name)
    kind = sniff(_head(stream))
    if kind in DECOMPRESSORS:
        plain = cast("IO[bytes]", Metered(DECOMPRESSORS[kind](stream), budget))
        inner = sniff(_head(plain))
        if inner == "tar":
            members = tar_members(plain, full)
        elif inner in CONTAINERS:
            yield from _open_inner(plain, clean_name(_without_ending(name)), prefix, budget, depth + 1)
            return
        else:
            yield Member(clean_name(_without_ending(name), prefix), partial(_reopen, stream, kind, budget))
            return
    elif kind == "tar":
        members = tar_members(cast("IO[bytes]", Metered(stream, budget)), full)
    elif kind == "zip":
        members = zip_members(stream, full, budget, lasting=depth == 0)
    elif kind == "text":
        yield Member(clean_name(name, prefix), partial(_reopen, stream, "", budget))
        return
    else:
        raise InputError(f"{full}: {describe_kind(kind)}")
    for member in members:
        budget.spend_member()
        name = clean_name(member.name, prefix)
        found = member if name == member.name else member._replace(name=name)
        kind = found.kind()
        if kind in PACKED:
            raise InputError(f"{shorten(found.name)}: {describe_kind(kind)}")
        if kind == "tar" or kind in CONTAINERS:
            with damage_as_input_error(found.name), member.open() as inner_file:
                yield from _open_inner(inner_file, found.name.removeprefix(prefix), prefix, budget, depth + 1)
        else:
            yield found


def describe_kind(kind: str) -> str:
    """Return what is wrong with a file of a kind that is no archive and no table."""
    match kind:
        case "empty":
            return "empty (0 bytes); download or copy the file again"
        case "picture":
            return "a single picture, not an archive; give the archive or the folder with all pictures"
        case _ if kind in UNSUPPORTED:
            return f"a {kind}, which is not read; unpack it and give the folder, or pack it as a zip file"
    return "truncated, damaged or not an archive (zip, tar or table); download or copy the file again"


def _open_inner(stream: IO[bytes], name: str, prefix: str, budget: Budget, depth: int) -> Iterator[Member]:
    """Yield the members of an archive that is itself part of a file."""
    if depth > MAX_DEPTH:
        raise InputError(
            f"{shorten(prefix + name)}: archives within archives, more than {MAX_DEPTH} deep; unpack the outer ones"
        )
    with tempfile.TemporaryFile() as copy:
        while chunk := stream.read(CHUNK):
            budget.spend_bytes(len(chunk))
            copy.write(chunk)
        copy.seek(0)
        yield from open_file(copy, name.rsplit("/", 1)[-1], f"{prefix}{name}/", budget, depth)


def _head(stream: IO[bytes]) -> bytes:
    head = stream.read(HEAD)
    stream.seek(0)
    return head


def _reopen(stream: IO[bytes], kind: str, budget: Budget) -> IO[bytes]:
    stream.seek(0)
    plain = DECOMPRESSORS[kind](stream) if kind else stream
    return io.BufferedReader(Metered(plain, budget), CHUNK)


def _without_ending(name: str) -> str:
    return name[: name.rfind(".")] if name.lower().endswith(ENDINGS) else name
