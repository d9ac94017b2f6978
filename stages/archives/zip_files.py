"""Members of zip files."""

import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from functools import partial
from itertools import pairwise
from typing import IO

from stages.archives.limits import Budget
from stages.archives.member import Member
from stages.archives.names import is_litter, short_name
from stages.base.errors import InputError

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
OTHER_METHODS = {1: "Shrink", 6: "Implode", 9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
ENCRYPTED, UTF8 = 0x1, 0x800  # bits of a member's flags
AES = 99  # method of members encrypted by WinZip
END_RECORD, END_RECORD_64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q")
LOCATOR_64 = 20  # bytes between the two
MAX_DIRECTORY = 200 * 10**6  # bytes; a million members with names of 150 characters


def zip_members(stream: IO[bytes], name: str, budget: Budget, *, lasting: bool) -> Iterator[Member]:
    """Yield the files of a zip file.

    Args:
        stream: its content, seekable.
        name: its name, for messages.
        budget: what may be unpacked; the sizes that the directory states are counted before anything is read.
        lasting: whether `stream` stays open as long as the archive exists.

    Raises:
        InputError: it needs a password, uses another method than `METHODS`, holds a link, is an Excel workbook, or has
            more members than `budget` allows.
        zipfile.BadZipFile: it is damaged or cut short.
    """
    count = _check_size(stream, name, budget)
    archive = zipfile.ZipFile(stream)  # not closed: its members may be opened later
    infos = archive.infolist()
    _check_directory(infos, count)
    if any(info.filename == "xl/workbook.xml" for info in infos):
        raise InputError(f"{name}: an Excel workbook; save its sheet as a CSV file")
    files = [info for info in infos if not _is_folder(info) and not is_litter(info.filename)]
    for info in files:
        _check_member(info, name)
        budget.spend_bytes(info.file_size)
    for info in files:
        yield Member(_name(info), partial(archive.open, info), _date(info), lasting)


def _check_size(stream: IO[bytes], name: str, budget: Budget) -> int:
    """Return the number of members that the end record states.

    zipfile takes memory for each member that the directory lists, so they are counted before it reads them.
    """
    start = max(0, stream.seek(0, 2) - 2**17)  # a comment of up to 64 KiB follows the end record
    stream.seek(start)
    tail = stream.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) < at + END_RECORD.size:
        raise zipfile.BadZipFile("cut short: no directory at its end")
    count, size = END_RECORD.unpack_from(tail, at)[4:6]
    at_64 = at - LOCATOR_64 - END_RECORD_64.size
    if at_64 >= 0 and (tail[at_64:][:4], tail[at - LOCATOR_64 :][:4]) == (b"PK\6\6", b"PK\6\7"):
        at = at_64
        count, size = END_RECORD_64.unpack_from(tail, at)[7:9]
    if size > MAX_DIRECTORY:
        raise InputError(f"{name}: a directory of {size:,} bytes; unpack it and give the folder")
    stream.seek(max(0, start + at - size))
    budget.check_members(stream.read(size).count(b"PK\1\2"))
    return count


def _check_directory(infos: list[zipfile.ZipInfo], count: int) -> None:
    """Raise BadZipFile if the directory lacks members, or if bytes of a member are missing or those of another one."""
    if count not in (len(infos), len(infos) % 2**16, 0xFFFF):
        raise zipfile.BadZipFile(f"its directory lists {len(infos):,} files in place of {count:,}")
    for info in infos:
        if info.file_size and not info.compress_size:  # with a CRC of 0, zipfile would give an empty file
            raise zipfile.BadZipFile(f"its directory lists no bytes of {short_name(info.filename)}")
    for one, other in pairwise(sorted(infos, key=lambda info: info.header_offset)):
        if one.header_offset + one.compress_size > other.header_offset:
            raise zipfile.BadZipFile(f"{short_name(one.filename)} and {short_name(other.filename)} share bytes")


def _check_member(info: zipfile.ZipInfo, name: str) -> None:
    if info.flag_bits & ENCRYPTED or info.compress_type == AES:
        raise InputError(f"{name}: {short_name(info.filename)} needs a password; unpack it and give the folder")
    if info.compress_type not in METHODS:
        method = OTHER_METHODS.get(info.compress_type, f"number {info.compress_type}")
        raise InputError(
            f"{name}: {short_name(info.filename)} is compressed by the method {method}, which is not read; unpack it "
            "and give the folder"
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        raise InputError(f"{name}: {short_name(info.filename)} is a symbolic link; pack the file itself in its place")


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith(("/", "\\")) and not info.file_size


def _name(info: zipfile.ZipInfo) -> str:
    if not info.flag_bits & UTF8 and not info.filename.isascii():
        with suppress(UnicodeError):  # macOS writes UTF-8 without saying so
            return info.filename.encode("cp437").decode()
    return info.filename


def _date(info: zipfile.ZipInfo) -> date | None:
    try:
        return date(*info.date_time[:3])
    except ValueError:  # day or month 0
        return None
