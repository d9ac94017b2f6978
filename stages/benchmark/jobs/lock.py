"""One process at a time, with all that it runs."""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def alone(path: Path, others: str) -> Iterator[TextIO]:
    """The file `path`, locked, once nobody else holds it; while that lasts, it is told that `others` still run.

    What inherits the open file holds the lock too, and may outlive a process that is killed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w+") as lock:  # to be read too: a child may have it as standard input
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting: {others} still run", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
