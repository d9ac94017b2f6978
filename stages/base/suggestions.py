"""Suggestions for misspelt names."""

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(value: object, known: Iterable[object]) -> str:
    """Return `": did you mean 'x'?"` for the known name nearest to `value`, or the list of all if none is near."""
    names = [str(name) for name in known]
    close = get_close_matches(str(value), names, n=1)
    return f": did you mean {close[0]!r}?" if close else f": it can be {', '.join(names)}"
