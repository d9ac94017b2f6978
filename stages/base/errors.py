"""The one kind of failure that is the user's to mend, and how a stage script ends with it."""

import sys
from collections.abc import Callable


class InputError(Exception):
    """Bad input: the message is one line that says what was wrong, where, and what to do."""


def guard(main: Callable[[], None]) -> None:
    """Run a stage; on InputError print its one line and end with exit code 1. A fault of ours keeps its traceback."""
    try:
        main()
    except InputError as error:
        sys.exit(f"ERROR: {error}")
