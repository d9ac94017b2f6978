"""Progress of what takes long: a bar in a terminal, else a line a minute."""

import sys
import time
from typing import Any

from tqdm import tqdm

SECONDS = 60  # between lines


def progress(*arguments: Any, **options: Any) -> tqdm:
    """Return a progress bar, or where standard error is no terminal, as in a log, its replacement by plain lines.

    Args:
        *arguments: as of `tqdm`.
        **options: as of `tqdm`.
    """
    if sys.stderr.isatty():
        return tqdm(*arguments, **options)
    return _Lines(*arguments, **(options | {"mininterval": SECONDS, "delay": SECONDS, "leave": False, "ascii": True}))


class _Lines(tqdm):
    """Prints the progress as a line, at most once in SECONDS, and nothing at the end."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.shown = time.monotonic()
        super().__init__(*arguments, **options)

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Print the line, if it is due and this is not the removal of a bar, for which `msg` is empty."""
        now = time.monotonic()
        if msg is None and now - self.shown >= SECONDS:
            print(self, file=sys.stderr, flush=True)
            self.shown = now
        return False

    def clear(self, nolock: bool = False) -> None:
        """Leave lines as they are, where a bar is removed while something else is written."""
