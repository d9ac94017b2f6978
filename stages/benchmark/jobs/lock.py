"""A lock for a command and for all processes that it starts."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

VARIABLE = "FER_LOCK"  # set in every process that was started under a lock, to the path of the lock


@contextmanager
def locked(path: Path, holder: str) -> Iterator[dict[str, str]]:
    """Hold the lock `path`; wait as long as another process holds it or was started under it.

    A command that is killed may leave processes behind. They are found by an environment variable that they inherit,
    which works on every system.

    Args:
        path: the lock file; its folder is created.
        holder: what may hold the lock, for the message that is printed while waiting.

    Yields:
        The environment variables that subprocesses must be started with.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock, mark = FileLock(path), str(path.resolve())
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _print_waiting(holder)
        lock.acquire()
    try:
        if left := _started_under(mark):
            _print_waiting(holder)
            while any(map(is_running, left)):
                time.sleep(0.2)
        yield {VARIABLE: mark}
    finally:
        lock.release()


def is_running(process: psutil.Process) -> bool:
    """Return whether the process is running; a zombie counts as ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _started_under(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(VARIABLE) == mark:
                found.append(process)
        except psutil.Error:  # it has ended, or belongs to another user
            continue
    return found


def _print_waiting(holder: str) -> None:
    print(f"waiting: {holder} is still running", file=sys.stderr, flush=True)
