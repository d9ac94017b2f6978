"""Errors that the user can fix, and how a stage script reports them."""

import sys
from collections.abc import Callable


class InputError(Exception):
    """Invalid input. The message is one line: what is wrong, where (file, row or key), and what to do."""


def guard(main: Callable[[], None]) -> None:
    """Run a stage's main function.

    An InputError is printed as one line and ends the process with exit code 1. Any other exception is a defect of the
    program and keeps its traceback.
    """
    try:
        main()
    except InputError as error:
        sys.exit(f"ERROR: {error}")
