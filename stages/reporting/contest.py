"""The charts of the benchmark's page: models beside each other."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import Bbox

from stages.reporting.chart import chart
from stages.reporting.svg import INK, LINE, SERIES, drawing

DOT = 7  # pixels across
PLACES = [  # of a name around its dot: pixels to the right and up, from nearest to farthest
    (8, 0), (-8, 0), (6, 11), (-6, 11), (6, -11), (-6, -11), (14, 24), (-14, 24), (14, -24), (-14, -24),
    (20, 38), (-20, 38), (20, -38), (-20, -38),
]  # fmt: skip


@chart
def ranges(rows: pd.DataFrame, zero: bool) -> tuple[Figure, str, pd.DataFrame]:
    """A figure with its interval, a row each: what, value, low, high; the last two may be missing.

    With `zero` a line stands there, for differences.
    """
    figure = drawing(50 + 36 * len(rows))
    axes = figure.subplots()
    places = range(len(rows))
    if zero:
        axes.axvline(0, color=INK, linewidth=1, linestyle=(0, (2, 2)))
    axes.hlines(places, rows.low, rows.high, color=SERIES[0], linewidth=3, alpha=0.55)
    axes.plot(rows.value, places, "o", color=SERIES[0], markersize=DOT)
    axes.set_yticks(places, rows.iloc[:, 0].str.replace(" − ", "\n− "))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.margins(x=0.1)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.grid(axis="y", visible=False)
    return figure, ", ".join(f"{row[0]} {row[1]:.3f}" for row in rows.itertuples(index=False)), rows


@chart
def costs(rows: pd.DataFrame, unit: str) -> tuple[Figure, str, pd.DataFrame]:
    """What models reach against what they cost: model, cost above 0 in `unit`, accuracy, low, high.

    The last two may be missing.
    """
    figure = drawing(330)
    axes = figure.subplots()
    cost = rows.iloc[:, 1]
    axes.set_xscale("log")
    wider = 1.6 * (cost.max() / cost.min()) ** 0.15
    axes.set(xlim=(cost.min() / wider, cost.max() * wider), xlabel=unit, ylabel="accuracy")
    wide = cost.max() > 20 * cost.min()
    axes.xaxis.set_major_locator(LogLocator(subs=[1.0] if wide else [1.0, 2.0, 5.0]))
    axes.xaxis.set_major_formatter(EngFormatter(sep="\u202f"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.vlines(cost, rows.low, rows.high, color=SERIES[0], linewidth=3, alpha=0.3)
    axes.plot(cost, rows.accuracy, "o", color=SERIES[0], markersize=DOT)
    axes.margins(y=0.12)
    _name(axes, rows.set_axis(["name", "x", "y", "low", "high"], axis=1))
    told = ", ".join(f"{row[0]} {row[2]:.3f} at {row[1]:.3g}" for row in rows.itertuples(index=False))
    return figure, f"accuracy against {unit}: {told}", rows


def _name(axes: Axes, rows: pd.DataFrame) -> None:
    """Write each name beside its dot, at the first of `PLACES` where it covers no other name, dot or bar.

    `rows` have name, x, y, and low and high, the ends of the bar.
    """
    axes.figure.draw_without_rendering()  # lays it out
    half = DOT / 2 * axes.figure.dpi / 72
    ends = [axes.transData.transform(rows[["x", end]].fillna({end: rows.y})) for end in ("low", "high")]
    taken = [Bbox.from_extents(*(low - half), *(high + half)) for low, high in zip(*ends)]
    for row in rows.itertuples():
        for place in PLACES:
            side = "left" if place[0] > 0 else "right"
            text = axes.annotate(row.name, (row.x, row.y), place, textcoords="offset points", ha=side, va="center")
            text.set_in_layout(False)
            box = text.get_window_extent()
            free = not box.count_overlaps(taken) and all(axes.bbox.contains(*corner) for corner in (box.p0, box.p1))
            if free or place == PLACES[-1]:
                break
            text.remove()
        taken.append(box)
        if abs(place[1]) > 11:  # too far to be taken for its own
            line = {"arrowstyle": "-", "color": LINE, "shrinkA": 0, "shrinkB": DOT / 2}
            axes.annotate("", (row.x, row.y), place, textcoords="offset points", arrowprops=line)
