"""A chart: an SVG, what it shows in words, and its numbers."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from stages.reporting.svg import STYLE, inline


@dataclass(frozen=True)
class Chart:
    """A drawing (an SVG element), its title, and the table of its numbers, with how it is to be read."""

    title: str
    svg: str
    table: pd.DataFrame
    note: str = ""


def chart(draw: Callable[..., tuple[Figure, str, pd.DataFrame]]) -> Callable[..., Chart]:
    """Make a function that gives a figure, its description and its numbers one that gives a chart.

    The chart's title is the function's first argument.
    """

    def drawn(title: str, *arguments: object, note: str = "") -> Chart:
        with rc_context(STYLE):
            figure, description, table = draw(*arguments)
            return Chart(title, inline(figure, f"{draw.__name__} {title}", f"{title}: {description}"), table, note)

    drawn.__doc__ = draw.__doc__
    return drawn
