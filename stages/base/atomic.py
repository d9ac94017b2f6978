"""Outputs that are there whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write a file or a folder at; on success flush it to disk and rename it into place.

    On any error what was written is removed and `path` is left as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    _remove(beside)
    try:
        yield beside
        for written in [beside, *beside.rglob("*")]:
            _flush(written)
        if beside.is_dir():
            _remove(path)  # a folder cannot be renamed over one that holds files
        os.replace(beside, path)
        _flush(path.parent)
    finally:
        _remove(beside)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
