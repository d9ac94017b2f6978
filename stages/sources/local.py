"""Archives that the user already has: a file is copied unchanged, a folder is packed into a reproducible zip file."""

import lzma
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO

from tqdm import tqdm
from tqdm.utils import CallbackIOWrapper

from stages.base.errors import InputError
from stages.base.files import sha256
from stages.params.sources import Local
from stages.sources.provenance import Provenance

CHUNK = 2**20  # bytes copied at a time
SYSTEM_FILES = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}  # created by operating systems, not data
NO_DATE = {date(1970, 1, 1), date(1980, 1, 1)}  # the earliest dates of tar and zip, written if a file has none


def fetch(dataset: str, settings: Local, folder: Path) -> Provenance:
    """Write the user's archive of a data set into a folder.

    A zip, tar (also compressed with gzip, bzip2 or xz) or csv file is copied under its own name. A folder is packed
    into `<dataset>.zip`: its files are sorted by name and stored uncompressed with a fixed date, so that equal files
    give equal bytes on any machine. Symbolic links in the folder and `SYSTEM_FILES` are not packed.

    Args:
        dataset: name of the data set.
        settings: `path` of the archive or folder (`~` is expanded), and the expected `sha256` of the written file, or
            None.
        folder: existing, empty folder.

    Returns:
        The provenance. `from` is the name of the file or folder. `date` is the latest modification date of the files
        in a zip or tar archive, and None for a csv file or a folder, since copying them can change their dates.

    Raises:
        InputError: the path is not set, does not exist or cannot be read; it is empty, truncated, or neither an
            archive nor a csv file nor a folder; or the written file does not have the expected SHA-256.
    """
    key = f"sources.local.{dataset}"
    if not settings.path:
        raise InputError(f"params.yaml: {key}.path is not set; set it to your zip, tar or csv file or folder")
    # pathlib's equivalents keep ".." and fail for an unknown user.
    source = Path(os.path.abspath(os.path.expanduser(settings.path)))  # noqa: PTH100, PTH111
    data_date = None
    try:
        if source.is_dir():
            written = folder / f"{dataset}.zip"
            _pack(source, written, key)
        else:
            data_date = _check(source, key)
            written = folder / source.name
            with written.open("wb") as out, _progress(source.name, source.stat().st_size) as bar:
                _copy(source, out, bar)
    except OSError as error:
        raise InputError(f"{key}.path: {error.filename or source}: {error.strerror or error}") from None
    except UnicodeEncodeError as error:
        raise InputError(f"{key}.path: the file name {error.object!r} is not UTF-8; rename the file") from None
    if settings.sha256:
        _compare_hash(written, settings.sha256, key)
    return {
        "source": "local",
        "from": source.name,
        "version": None,
        "licence": "see its own terms",
        "drawn": False,
        "date": data_date.isoformat() if data_date else None,
    }


def _check(path: Path, key: str) -> date | None:
    """Check that a file is an archive with files or a csv file; its members are checked when they are read.

    Returns:
        The latest modification date of the files in an archive; None if they have no dates, or for a csv file.

    Raises:
        InputError: the file is missing, empty, truncated, or neither an archive nor a csv file.
    """
    if not path.exists():
        raise InputError(f"{key}.path: {path} does not exist")
    if not path.is_file():
        raise InputError(f"{key}.path: {path} is neither a file nor a folder")
    with path.open("rb") as stream:
        head = stream.read(2**13)
    if not head:
        raise InputError(f"{key}.path: {path} is empty (0 bytes); download or copy it again")
    dates: set[date] = set()
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as zip_file:
                empty = all(member.is_dir() for member in zip_file.infolist())
                dates = set(_zip_dates(zip_file))
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as tar_file:
                dates = set(_tar_dates(tar_file))
                empty = not tar_file.getmembers()
        elif head.startswith(b"PK\x03\x04"):
            raise zipfile.BadZipFile("no directory at its end")
        elif path.suffix.lower() == ".csv" and b"," in head.splitlines()[0] and b"\0" not in head:
            empty = False
        else:
            raise InputError(f"{key}.path: {path} is not a zip, tar or csv file, or is truncated")
    except (zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, EOFError) as error:
        raise InputError(f"{key}.path: {path} is truncated or damaged ({error}); download or copy it again") from None
    if empty:
        raise InputError(f"{key}.path: {path} is an archive without files; download or copy it again")
    return max(dates - NO_DATE, default=None)


def _zip_dates(archive: zipfile.ZipFile) -> Iterator[date]:
    for member in archive.infolist():
        with suppress(ValueError):  # day or month 0
            if not member.is_dir():
                yield date(*member.date_time[:3])


def _tar_dates(archive: tarfile.TarFile) -> Iterator[date]:
    for member in archive:
        with suppress(ValueError, OverflowError, OSError):  # beyond what a date can be
            if member.isfile():
                yield datetime.fromtimestamp(member.mtime, UTC).date()


def _pack(source: Path, written: Path, key: str) -> None:
    """Write every file of a folder into one uncompressed zip file; raise InputError if there is none."""
    names = _list_files(source)
    if not names:
        raise InputError(f"{key}.path: {source} contains no files (symbolic links are not followed)")
    with (
        zipfile.ZipFile(written, "w") as archive,
        _progress(written.name, sum((source / name).stat().st_size for name in names)) as bar,
    ):
        for name in names:
            member = zipfile.ZipInfo(name)  # its date is 1980-01-01
            member.create_system, member.external_attr = 3, 0o100644 << 16  # a Unix file, also on Windows
            member.file_size = (source / name).stat().st_size  # zipfile needs it for files of more than 2 GiB
            with archive.open(member, "w") as out:
                _copy(source / name, out, bar)


def _list_files(source: Path) -> list[str]:
    """Return the regular files in a folder and its subfolders, as sorted relative paths with forward slashes."""
    names: list[str] = []
    for parent, folders, files in os.walk(source, onerror=_raise):
        folders[:] = [name for name in folders if name not in SYSTEM_FILES]
        paths = [Path(parent, name) for name in files if name not in SYSTEM_FILES]
        names += [path.relative_to(source).as_posix() for path in paths if path.is_file() and not path.is_symlink()]
    return sorted(names)


def _raise(error: OSError) -> None:
    raise error  # without this, os.walk skips folders that cannot be read


def _copy(source: Path, out: IO[bytes], bar: tqdm) -> None:
    with source.open("rb") as stream:
        shutil.copyfileobj(CallbackIOWrapper(bar.update, stream, "read"), out, CHUNK)


def _progress(name: str, size: int) -> tqdm:
    return tqdm(total=size, desc=name, unit="B", unit_scale=True, delay=2, disable=None)


def _compare_hash(written: Path, expected: str, key: str) -> None:
    actual = sha256(written)
    if actual != expected.lower():
        raise InputError(
            f"{key}.sha256: {written.name} has {actual}, expected is {expected}; get the right file or correct the hash"
        )
