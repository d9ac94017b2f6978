"""Outputs that are written completely or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_output(path: Path) -> Iterator[Path]:
    """Replace the file or folder at `path` in one step.

    Yields a temporary path in the same folder, where the caller writes a file or creates a folder. If the block
    succeeds, the result is flushed to disk and renamed to `path`. If it raises, the temporary output is removed and
    `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    _remove(temporary)
    try:
        yield temporary
        for written in [temporary, *temporary.rglob("*")]:
            _flush(written)
        if temporary.is_dir():
            _remove(path)  # a folder that holds files cannot be replaced by a rename
        temporary.replace(path)
        _flush(path.parent)
    finally:
        _remove(temporary)


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


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
