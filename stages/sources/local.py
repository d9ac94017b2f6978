"""Archives that the user already has: a file is copied unchanged, a folder is packed into a reproducible zip file."""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO

from tqdm import tqdm
from tqdm.utils import CallbackIOWrapper

from stages.archives.archive import Archive
from stages.archives.folder import list_files
from stages.archives.sniffing import HEAD, sniff, text_encoding
from stages.archives.text import SEPARATORS
from stages.base.errors import InputError
from stages.base.files import sha256
from stages.base.paths import clone
from stages.base.progress import progress
from stages.params.data import Limits
from stages.params.sources import Local
from stages.sources.provenance import Provenance

CHUNK = 2**20  # bytes copied at a time
NO_DATE = {date(1970, 1, 1), date(1980, 1, 1)}  # the earliest dates of tar and zip, written if a file has none


def fetch(dataset: str, settings: Local, folder: Path, *, limits: Limits) -> Provenance:
    """Write the user's archive of a data set into a folder.

    A file is copied under its own name. A folder is packed into `<dataset>.zip`: its files are sorted by name and
    stored uncompressed with a fixed date, so that equal files give equal bytes on any machine. Links within the folder
    count as what they lead to; files of operating systems are not packed.

    Args:
        dataset: name of the data set.
        settings: `path` of the archive or folder (`~` is expanded; a relative path starts at the clone, also in the
            copies of it in which DVC runs experiments), and the expected `sha256` of the written file, or None.
        folder: existing, empty folder.
        limits: section `data.limits`.

    Returns:
        The provenance. `from` is the name of the file or folder. `date` is the latest modification date of the files
        in a zip or tar archive, and None for a table or a folder, since copying them can change their dates.

    Raises:
        InputError: the path is not set, does not exist or cannot be read; it is empty, damaged, or neither an archive
            nor a table nor a folder; a link leads out of the folder; or the written file does not have the expected
            SHA-256.
    """
    key = f"sources.local.{dataset}"
    if not settings.path:
        raise InputError(f"params.yaml: {key}.path is not set; set it to your archive, table or folder")
    source = locate(settings.path)
    data_date = None
    try:
        if source.is_dir():
            written = folder / f"{dataset}.zip"
            _pack(source, written, key)
        else:
            data_date = _check(source, key, limits)
            written = folder / _own_name(source.name)
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


def locate(path: str) -> Path:
    """Return the absolute path of a user's archive.

    A relative path starts at the clone, also in the copies of it in which experiments run.
    """
    # pathlib's equivalents keep ".." and fail for an unknown user.
    return Path(os.path.abspath(clone() / os.path.expanduser(path)))  # noqa: PTH100, PTH111


def fingerprint(path: str) -> str | None:
    """Return the SHA-256 of a user's archive, or of the names and contents of a folder; None if it cannot be read."""
    source = locate(path)
    try:
        if source.is_dir():
            content = "".join(f"{name}\n{sha256(source / name)}\n" for name in list_files(source))
            return hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()
        return sha256(source) if source.is_file() else None
    except (OSError, InputError):  # `fetch` says what is wrong with it
        return None


def _own_name(name: str) -> str:
    """Return the name of the copy: not that of the file which states the provenance."""
    return f"archive-{name}" if name == "source.json" else name


def _check(path: Path, key: str, limits: Limits) -> date | None:
    """Open an archive and list its files, whose content is checked when they are read.

    Returns:
        The latest modification date of the files in an archive; None if they have no dates, or for a table.

    Raises:
        InputError: the file is missing, empty, damaged, or neither an archive nor a table.
    """
    if not path.exists():
        raise InputError(f"{key}.path: {path} does not exist")
    if not path.is_file():
        raise InputError(f"{key}.path: {path} is neither a file nor a folder")
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    with _at(key, path):
        if sniff(head) == "text" and not _is_table(head):
            raise InputError(f"{path.name}: a text that is no table; is it a web page saved by mistake?")
        members = list(Archive(path, limits=limits))
    if not members:
        raise InputError(f"{key}.path: {path} is an archive without files; download or copy it again")
    dates = {member.modified for member in members if member.modified}
    return max(dates - NO_DATE, default=None)


def _pack(source: Path, written: Path, key: str) -> None:
    """Write every file of a folder into one uncompressed zip file; raise InputError if there is none."""
    with _at(key, source):
        names = list_files(source)
    if not names:
        raise InputError(f"{key}.path: {source} contains no files")
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


@contextmanager
def _at(key: str, path: Path) -> Iterator[None]:
    """Name the key and the full path in an InputError of the block."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{key}.path: {path}: {str(error).removeprefix(f'{path.name}: ')}") from None


def _is_table(head: bytes) -> bool:
    """Return whether a text begins with a line of several columns and is no page of the web."""
    first = head.decode(text_encoding(head) or "utf-8", "replace").strip().splitlines()[:1]
    return any(separator in line for line in first for separator in SEPARATORS) and not first[0].startswith("<")


def _copy(source: Path, out: IO[bytes], bar: tqdm) -> None:
    with source.open("rb") as stream:
        shutil.copyfileobj(CallbackIOWrapper(bar.update, stream, "read"), out, CHUNK)


def _progress(name: str, size: int) -> tqdm:
    return progress(total=size, desc=name, unit="B", unit_scale=True, delay=2)


def _compare_hash(written: Path, expected: str, key: str) -> None:
    actual = sha256(written)
    if actual != expected.lower():
        raise InputError(
            f"{key}.sha256: {written.name} has {actual}, expected is {expected}; get the right file or correct the hash"
        )
