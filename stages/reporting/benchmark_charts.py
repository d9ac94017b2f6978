"""The charts of the benchmark's page: models beside each other."""

from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import Bbox

from stages.reporting.chart import Chart, chart
from stages.reporting.svg import INK, SERIES, drawing

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
    span = cost.max() / cost.min()
    wider = max(1.6 * span**0.15, (10 / span) ** 0.5)  # room for names, and for two ticks at least
    axes.set(xlim=(cost.min() / wider, cost.max() * wider), xlabel=unit, ylabel="accuracy")
    axes.xaxis.set_major_locator(LogLocator(subs=[1.0] if span > 20 else [1.0, 2.0, 5.0]))
    axes.xaxis.set_major_formatter(EngFormatter(sep="\u202f"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.vlines(cost, rows.low, rows.high, color=SERIES[0], linewidth=3, alpha=0.3)
    axes.plot(cost, rows.accuracy, "o", color=SERIES[0], markersize=DOT)
    axes.margins(y=0.12)
    _name(axes, rows.set_axis(["name", "x", "y", "low", "high"], axis=1))
    told = ", ".join(f"{row[0]} {row[2]:.3f} at {row[1]:.3g}" for row in rows.itertuples(index=False))
    return figure, f"accuracy against {unit}: {told}", rows


def _name(axes: Axes, rows: pd.DataFrame) -> None:
    """Write each name beside its dot, at the one of `PLACES` where it covers least: no name or dot, then no bar.

    `rows` have name, x, y, and low and high, the ends of the bar.
    """
    axes.figure.draw_without_rendering()  # lays it out
    half = DOT / 2 * axes.figure.dpi / 72
    dots, low, high = (axes.transData.transform(rows[["x", end]].fillna({end: rows.y})) for end in ("y", "low", "high"))
    taken = [Bbox([dot - half, dot + half]) for dot in dots]
    bars = [Bbox(ends) for ends in zip(low, high)]

    def cost(text: Annotation) -> tuple[bool, int, int]:
        box = text.get_window_extent()
        outside = not all(axes.bbox.contains(*corner) for corner in (box.p0, box.p1))
        return outside, box.count_overlaps(taken), box.count_overlaps(bars)

    for row in rows.itertuples():
        texts = [axes.annotate(row.name, (row.x, row.y), place, textcoords="offset points",
                               ha="left" if place[0] > 0 else "right", va="center", in_layout=False)
                 for place in PLACES]  # fmt: skip
        best = min(texts, key=cost)
        for text in texts:
            if text is not best:
                text.remove()
        taken.append(best.get_window_extent())
        if abs(best.xyann[1]) > 11:  # too far to be taken for its own
            line = {"arrowstyle": "-", "color": INK, "linewidth": 0.6, "shrinkA": 0, "shrinkB": DOT / 2}
            axes.annotate("", best.xy, best.xyann, textcoords="offset points", arrowprops=line)


MERITS = {"macro_f1": "Macro-F1", "accuracy": "Accuracy"}
SPEED = "inference_images_per_second"


def board(found: dict) -> dict:
    """What the page's templates name, from the `found` of metrics/benchmark.json: models, neighbours, charts, drawn.

    A neighbour has `better` and `worse`, and by merit the difference, where there are enough groups of faces with low,
    high and p_holm.
    """
    models = found["models"]
    pairs = zip(pairwise(models), found["neighbours"].values(), strict=True)
    neighbours = [{"better": better, "worse": worse, **pair} for (better, worse), pair in pairs]
    return {"models": models, "neighbours": neighbours, "charts": _charts(models, neighbours),
            "drawn": found["drawn_faces"]}  # fmt: skip


def _charts(models: dict, neighbours: list[dict]) -> dict[str, list[Chart]]:
    sure = all("interval" in row["validation"] for row in models.values())
    with_bars = ", with their intervals" if sure else ""
    crossing = "Where a bar crosses the dashed line, the order of the two may be chance." if sure else ""
    return {
        "scores": [
            ranges(title, _scores(models, merit), False, note=f"Of all out-of-fold faces{with_bars}.")
            for merit, title in MERITS.items()
        ],
        "differences": [
            ranges(f"{title}: better less next", _differences(neighbours, merit), True, note=crossing)
            for merit, title in MERITS.items()
        ] if neighbours else [],
        "costs": [
            costs("Accuracy and computation", _costs(models, "flops", "FLOPs"), "FLOPs of one image"),
            costs("Accuracy and speed", _costs(models, SPEED, "images/s"), "images/s in inference"),
        ],
    }  # fmt: skip


def _rows(what: str, rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[what, "value", "low", "high"]).astype(dict.fromkeys(("low", "high"), float))


def _scores(models: dict, merit: str) -> pd.DataFrame:
    return _rows("model", [(name, *_range(row["validation"], merit)) for name, row in models.items()])


def _range(part: dict, merit: str) -> tuple[float, float | None, float | None]:
    interval = part.get("interval", {}).get(merit, {})
    return part[merit], interval.get("low"), interval.get("high")


def _differences(neighbours: list[dict], merit: str) -> pd.DataFrame:
    rows = []
    for pair in neighbours:
        found = pair[merit]
        rows.append((f"{pair['better']} − {pair['worse']}", found["difference"], found.get("low"), found.get("high")))
    return _rows("pair", rows)


def _costs(models: dict, name: str, unit: str) -> pd.DataFrame:
    rows = [(model, row["cost"][name], *_range(row["validation"], "accuracy")) for model, row in models.items()]
    table = pd.DataFrame(rows, columns=["model", unit, "accuracy", "low", "high"])
    return table.astype(dict.fromkeys(("low", "high"), float))
