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
END_RECORD = struct.Struct("<4s4H2LH")


def zip_members(stream: IO[bytes], name: str, budget: Budget) -> Iterator[Member]:
    """Yield the files of a zip file.

    Args:
        stream: its content, seekable.
        name: its name, for messages.
        budget: what may be unpacked; the sizes that the directory states are counted before anything is read.

    Raises:
        InputError: it needs a password, uses another method than `METHODS`, holds a link, or is an Excel workbook.
        zipfile.BadZipFile: it is damaged or cut short.
    """
    with zipfile.ZipFile(stream) as archive:
        infos = archive.infolist()
        _check_directory(stream, infos)
        if any(info.filename == "xl/workbook.xml" for info in infos):
            raise InputError(f"{name}: an Excel workbook; save its sheet as a CSV file")
        files = [info for info in infos if not _is_folder(info) and not is_litter(info.filename)]
        for info in files:
            _check_member(info, name)
            budget.spend_bytes(info.file_size)
        for info in files:
            yield Member(_name(info), partial(archive.open, info), _date(info))


def _check_directory(stream: IO[bytes], infos: list[zipfile.ZipInfo]) -> None:
    """Raise BadZipFile if the directory lacks members, or if bytes of a member are missing or those of another one."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - END_RECORD.size - 2**16))
    tail = stream.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) < at + END_RECORD.size:
        raise zipfile.BadZipFile("cut short: no directory at its end")
    count = END_RECORD.unpack_from(tail, at)[4]
    if count not in (len(infos) % 2**16, 0xFFFF):
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
