"""Errors that the user can fix, and how a stage script reports them."""

import signal
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

INTERRUPTED = 130  # the exit code that shells give a process ended by SIGINT


class InputError(Exception):
    """Invalid input. The message is one line: what is wrong, where (file, row or key), and what to do.

    Line ends, control characters and lone surrogates, which names in archives can contain, are shown as escapes.
    """

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class Stopped(Exception):  # noqa: N818 (stopping is no error)
    """The user stopped the stage. The message is one line: where it stopped and how to continue."""


def guard(main: Callable[[], None]) -> None:
    """Run a stage's main function.

    An InputError, and an error of the operating system such as a full disk, is printed as one line and ends the process
    with exit code 1; Stopped, Ctrl-C or SIGTERM is printed as one line and ends it with exit code 130. Any other
    exception is a defect of the program and keeps its traceback.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # in the background, shells let it be ignored
        signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    try:
        main()
    except InputError as error:
        sys.exit(f"ERROR: {error}")
    except OSError as error:
        sys.exit(f"ERROR: {one_line(cause(error))}")
    except (Stopped, KeyboardInterrupt) as error:
        print(str(error) or "stopped", file=sys.stderr)
        sys.exit(INTERRUPTED)


def one_line(text: str) -> str:
    """Return `text` with line ends and other characters that cannot be printed as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def cause(error: OSError) -> str:
    """Return what happened, after the path that the error is about if it names one."""
    reason = error.strerror or str(error)
    return reason if error.filename is None else f"{error.filename}: {reason}"


def _stop(*_: object) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a second one would interrupt what the first one makes the stage finish
    threading.excepthook = lambda _: None  # a library's threads may miss what the interrupted call has not done
    raise KeyboardInterrupt
