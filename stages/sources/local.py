"""Archives that the user already has: a file is copied as it is, a folder is packed the same way on every machine."""

import hashlib
import os
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm
from tqdm.utils import CallbackIOWrapper

from stages.base.errors import InputError

CHUNK = 2**20  # bytes copied at a time
LITTER = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}  # an operating system's, never a data set's


def fetch(dataset: str, settings, folder: Path) -> dict:
    """Write the user's own archive of `dataset` into the existing, empty `folder`.

    A zip, tar (gzip, bzip2 and xz too) or csv file is copied under its own name. A folder becomes `<dataset>.zip`:
    every file in it, sorted by name and stored with a fixed date, so that equal files give equal bytes on any machine.
    Symbolic links inside it and what operating systems leave behind (`LITTER`) are not packed.

    Args:
        dataset: the name of the data set.
        settings: `path` of the archive or folder (`~` allowed), and `sha256` of the file that this writes, or None.

    Returns:
        The archive's provenance: source, from (a name, not a path), version, licence, drawn.

    Raises:
        InputError: no path set, nothing there, not readable, empty, cut short, neither archive, csv nor folder, or its
            SHA-256 is not the pinned one.

    """
    key = f"sources.local.{dataset}"
    if not settings.path:
        raise InputError(f"params.yaml: {key}.path is not set: give your copy of {dataset}, a zip, tar, csv or folder")
    source = Path(os.path.abspath(os.path.expanduser(settings.path)))
    try:
        if source.is_dir():
            written = folder / f"{dataset}.zip"
            _pack(source, written, key)
        else:
            _check(source, key)
            written = folder / source.name
            with written.open("wb") as out, _progress(source.name, source.stat().st_size) as bar:
                _copy(source, out, bar)
    except OSError as error:
        raise InputError(f"{key}.path: {error.filename or source}: {error.strerror or error}") from None
    except UnicodeEncodeError as error:
        raise InputError(f"{key}.path: the file name {error.object!r} is not in UTF-8; rename the file") from None
    if settings.sha256:
        _compare(written, settings.sha256, key)
    return {"source": "local", "from": source.name, "version": None, "licence": "see its own terms", "drawn": False}


def _check(path: Path, key: str) -> None:
    """Raise InputError where a file is no archive and no csv. Damage further in is for its reader to find."""
    if not path.exists():
        raise InputError(f"{key}.path: there is no {path}")
    if not path.is_file():
        raise InputError(f"{key}.path: {path} is neither a file nor a folder")
    with path.open("rb") as stream:
        head = stream.read(2**13)
    if not head:
        raise InputError(f"{key}.path: {path} is empty (0 bytes); get it again")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                empty = all(member.is_dir() for member in archive.infolist())
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                empty = archive.next() is None
        elif head.startswith(b"PK\x03\x04"):
            raise zipfile.BadZipFile("no directory at its end")
        elif path.suffix.lower() == ".csv" and b"," in head.splitlines()[0] and b"\0" not in head:
            empty = False
        else:
            raise InputError(f"{key}.path: {path} is not a zip, tar or csv file, or only the beginning of one")
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise InputError(f"{key}.path: {path} is cut short or damaged ({error}); get it again") from None
    if empty:
        raise InputError(f"{key}.path: {path} is an archive without files; get it again")


def _pack(source: Path, written: Path, key: str) -> None:
    """Write every file below `source` into one zip, uncompressed. Raises InputError where there is none."""
    names = _files(source)
    if not names:
        raise InputError(f"{key}.path: {source} holds no files (symbolic links are not followed)")
    with (
        zipfile.ZipFile(written, "w") as archive,
        _progress(written.name, sum((source / name).stat().st_size for name in names)) as bar,
    ):
        for name in names:
            member = zipfile.ZipInfo(name)  # dated 1980-01-01
            member.create_system, member.external_attr = 3, 0o100644 << 16  # a Unix file, also on Windows
            member.file_size = (source / name).stat().st_size  # lets zipfile choose the form for more than 2 GiB
            with archive.open(member, "w") as out:
                _copy(source / name, out, bar)


def _files(source: Path) -> list[str]:
    """The regular files below `source`, as sorted names relative to it with forward slashes."""
    found = []
    for parent, folders, files in os.walk(source, onerror=_refuse):
        folders[:] = [name for name in folders if name not in LITTER]
        paths = [Path(parent, name) for name in files if name not in LITTER]
        found += [path.relative_to(source).as_posix() for path in paths if path.is_file() and not path.is_symlink()]
    return sorted(found)


def _refuse(error: OSError) -> None:
    raise error  # os.walk would skip a folder that it may not read


def _copy(source: Path, out: BinaryIO, bar: tqdm) -> None:
    with source.open("rb") as stream:
        shutil.copyfileobj(CallbackIOWrapper(bar.update, stream, "read"), out, CHUNK)


def _progress(name: str, size: int) -> tqdm:
    return tqdm(total=size, desc=name, unit="B", unit_scale=True, delay=2, disable=None)


def _compare(written: Path, pinned: str, key: str) -> None:
    with written.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != pinned.lower():
        raise InputError(
            f"{key}.sha256: {written.name} has {found}, pinned is {pinned}; get the right file, or pin the new one"
        )
