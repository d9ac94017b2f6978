"""Errors that the user can fix, and how a stage script reports them."""

import sys
from collections.abc import Callable

INTERRUPTED = 130  # the exit code that shells give a process ended by SIGINT


class InputError(Exception):
    """Invalid input. The message is one line: what is wrong, where (file, row or key), and what to do."""


class Stopped(Exception):  # noqa: N818 (stopping is no error)
    """The user stopped the stage. The message is one line: where it stopped and how to continue."""


def guard(main: Callable[[], None]) -> None:
    """Run a stage's main function.

    An InputError is printed as one line and ends the process with exit code 1; Stopped or Ctrl-C is printed as one line
    and ends it with exit code 130. Any other exception is a defect of the program and keeps its traceback.
    """
    try:
        main()
    except InputError as error:
        sys.exit(f"ERROR: {error}")
    except (Stopped, KeyboardInterrupt) as error:
        print(str(error) or "stopped", file=sys.stderr)
        sys.exit(INTERRUPTED)
