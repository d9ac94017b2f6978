"""A chart: an SVG drawing with a description, and the table of its numbers."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from stages.reporting.svg import STYLE, svg_element


@dataclass(frozen=True)
class Chart:
    """A chart on a page.

    Attributes:
        title: the heading of the chart.
        svg: the drawing, an SVG element.
        table: the numbers that are drawn.
        note: a sentence under the title, or "".
    """

    title: str
    svg: str
    table: pd.DataFrame
    note: str = ""


def chart(draw: Callable[..., tuple[Figure, str, pd.DataFrame]]) -> Callable[..., Chart]:
    """Turn a function that draws a figure into one that returns a Chart.

    Args:
        draw: returns the figure, its description for screen readers, and the table of its numbers.

    Returns:
        A function whose first argument is the title, followed by the arguments of `draw` and the optional `note`.
    """

    def draw_chart(title: str, *arguments: object, note: str = "") -> Chart:
        with rc_context(STYLE):
            figure, description, table = draw(*arguments)
            return Chart(title, svg_element(figure, f"{draw.__name__} {title}", f"{title}: {description}"), table, note)

    draw_chart.__doc__ = draw.__doc__
    return draw_chart
