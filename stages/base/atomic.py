"""Outputs that are written completely or not at all, by one process at a time, and never through a link."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from stages.base.errors import InputError


@contextmanager
def atomic_output(path: Path) -> Iterator[Path]:
    """Replace the file or folder at `path` in one step.

    Yields a temporary path in the same folder, where the caller writes a file or creates a folder. If the block
    succeeds, the result is flushed to disk and renamed to `path`. If it raises, the temporary output is removed and
    `path` stays as it was.

    Raises:
        InputError: another process is writing `path`, or a folder above it is a link.
    """
    with exclusive(path), writing(path):
        temporary = _temporary(path)
        remove(temporary)
        try:
            yield temporary
            for written in [temporary, *temporary.rglob("*")]:
                _flush(written)
            if temporary.is_dir():
                remove(path)  # a folder that holds files cannot be replaced by a rename
            temporary.replace(path)
            _flush(path.parent)
        finally:
            remove(temporary)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Be the only process that writes `path`; its folder is created.

    Raises:
        InputError: another process is writing `path`, or a folder above it is a link.
    """
    _refuse_links_above(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise InputError(f"{path}: another run is writing it now; wait until it has ended") from None
    except OSError as error:
        error.filename = str(path)  # in place of the lock's
        raise
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes the file when the lock is released, and not before
            Path(lock.lock_file).unlink()
        lock.release()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Name `path` in errors of the operating system that name no file, as on a full disk, or its temporary one."""
    try:
        yield
    except OSError as error:
        if error.filename is None or Path(os.fsdecode(error.filename)).is_relative_to(_temporary(path)):
            error.filename = str(path)
        raise


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def remove(path: Path) -> None:
    """Remove a file or a folder if it exists; of a link, only the link itself.

    Raises:
        InputError: a folder above it is a link, so that what would be removed is elsewhere.
    """
    _refuse_links_above(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _refuse_links_above(path: Path) -> None:
    """Raise InputError if `path` is relative and leads through a link; what leads to an absolute path is the user's."""
    for folder in path.parents:
        if not path.is_absolute() and folder.is_symlink():
            raise InputError(
                f"{folder}: is a link, and outputs are not written or removed through links; put a folder there "
                "instead (`dvc config cache.dir` moves DVC's cache to another disk)"
            )


def _flush(path: Path) -> None:
    """Write a file's or a folder's cached content to disk; Windows cannot do this for a folder."""
    if os.name == "nt":
        if path.is_dir():
            return
        flags = os.O_RDWR | os.O_BINARY  # type: ignore[attr-defined, unused-ignore]
    else:
        flags = os.O_RDONLY
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
