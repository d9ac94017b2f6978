"""The charts of the benchmark's page, which compare models."""

from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import Bbox

from stages.reporting.chart import Chart, chart
from stages.reporting.svg import INK, SERIES, new_figure

DOT = 7  # diameter in pixels
OFFSETS = [  # of a name from its dot: pixels to the right and up, from nearest to farthest
    (8, 0), (-8, 0), (6, 11), (-6, 11), (6, -11), (-6, -11), (14, 24), (-14, 24), (14, -24), (-14, -24),
    (20, 38), (-20, 38), (20, -38), (-20, -38),
]  # fmt: skip
METRICS = {"macro_f1": "Macro-F1", "accuracy": "Accuracy"}
SPEED = "inference_images_per_second"


@chart
def model_intervals(rows: pd.DataFrame, show_zero: bool) -> tuple[Figure, str, pd.DataFrame]:
    """Draw a metric, or a difference, with its confidence interval for each row.

    Args:
        rows: a column of names, then value, low and high; the last two can be missing values.
        show_zero: draw a line at 0.
    """
    figure = new_figure(50 + 36 * len(rows))
    axes = figure.subplots()
    positions = range(len(rows))
    if show_zero:
        axes.axvline(0, color=INK, linewidth=1, linestyle=(0, (2, 2)))
    axes.hlines(positions, rows.low, rows.high, color=SERIES[0], linewidth=3, alpha=0.55)
    axes.plot(rows.value, positions, "o", color=SERIES[0], markersize=DOT)
    axes.set_yticks(positions, rows.iloc[:, 0].str.replace(" − ", "\n− "))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.margins(x=0.1)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.grid(axis="y", visible=False)
    return figure, ", ".join(f"{row[0]} {row[1]:.3f}" for row in rows.itertuples(index=False)), rows


@chart
def accuracy_by_cost(rows: pd.DataFrame, unit: str) -> tuple[Figure, str, pd.DataFrame]:
    """Draw the accuracy of each model over its cost, on a logarithmic axis.

    Args:
        rows: columns model, cost (above 0), accuracy, low and high; the last two can be missing values.
        unit: the unit of the cost.
    """
    figure = new_figure(330)
    axes = figure.subplots()
    cost = rows.iloc[:, 1]
    axes.set_xscale("log")
    span = cost.max() / cost.min()
    margin = max(1.6 * span**0.15, (10 / span) ** 0.5)  # space for names and for at least two ticks
    axes.set(xlim=(cost.min() / margin, cost.max() * margin), xlabel=unit, ylabel="accuracy")
    axes.xaxis.set_major_locator(LogLocator(subs=[1.0] if span > 20 else [1.0, 2.0, 5.0]))
    axes.xaxis.set_major_formatter(EngFormatter(sep="\u202f"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.vlines(cost, rows.low, rows.high, color=SERIES[0], linewidth=3, alpha=0.3)
    axes.plot(cost, rows.accuracy, "o", color=SERIES[0], markersize=DOT)
    axes.margins(y=0.12)
    _add_names(figure, axes, rows.set_axis(["name", "x", "y", "low", "high"], axis=1))
    points = ", ".join(f"{row[0]} {row[2]:.3f} at {row[1]:.3g}" for row in rows.itertuples(index=False))
    return figure, f"accuracy over {unit}: {points}", rows


def _add_names(figure: Figure, axes: Axes, rows: pd.DataFrame) -> None:
    """Write each name beside its dot, at the one of OFFSETS with the fewest overlaps.

    Overlaps with names and dots count before overlaps with interval bars.

    Args:
        figure: the figure of `axes`.
        axes: the axes with the dots.
        rows: columns name, x, y, low and high (the ends of the bar).
    """
    figure.draw_without_rendering()  # positions are known only after the layout
    half = DOT / 2 * figure.dpi / 72
    dots, low, high = (axes.transData.transform(rows[["x", end]].fillna({end: rows.y})) for end in ("y", "low", "high"))
    taken = [Bbox([dot - half, dot + half]) for dot in dots]
    bars = [Bbox(ends) for ends in zip(low, high, strict=True)]

    def overlaps(text: Annotation) -> tuple[bool, int, int]:
        box = text.get_window_extent()
        outside = not all(axes.bbox.contains(*corner) for corner in (box.p0, box.p1))
        return outside, box.count_overlaps(taken), box.count_overlaps(bars)

    for row in rows.itertuples():
        texts = [axes.annotate(row.name, (row.x, row.y), offset, textcoords="offset points",
                               ha="left" if offset[0] > 0 else "right", va="center", in_layout=False)
                 for offset in OFFSETS]  # fmt: skip
        best = min(texts, key=overlaps)
        for text in texts:
            if text is not best:
                text.remove()
        taken.append(best.get_window_extent())
        if abs(best.xyann[1]) > 11:  # far from its dot: connect both with a line
            line = {"arrowstyle": "-", "color": INK, "linewidth": 0.6, "shrinkA": 0, "shrinkB": DOT / 2}
            axes.annotate("", best.xy, best.xyann, textcoords="offset points", arrowprops=line)


def benchmark_content(benchmark: dict) -> dict:
    """Return the variables of the page's templates.

    Args:
        benchmark: the content of metrics/benchmark.json.

    Returns:
        `models`, the best first; `neighbours`, a list of pairs on the ranking with `better`, `worse` and for each
        metric the difference, with low, high and p_holm if there are enough groups; `charts`; `seeds`, how many models
        predicted each face; `drawn`, whether some faces are drawn by a program; and `leaks`, the test and out-of-fold
        faces whose group is also trained on, or {}.
    """
    models = benchmark["models"]
    pairs = zip(pairwise(models), benchmark["neighbours"].values(), strict=True)
    neighbours = [{"better": better, "worse": worse, **pair} for (better, worse), pair in pairs]
    charts = _charts(models, neighbours)
    facts = {"seeds": benchmark["seeds"], "drawn": benchmark["drawn_faces"], "leaks": benchmark["leaks"]}
    return {"models": models, "neighbours": neighbours, "charts": charts, **facts}


def _charts(models: dict, neighbours: list[dict]) -> dict[str, list[Chart]]:
    with_intervals = all("interval" in row["out_of_fold"] for row in models.values())
    score_note = f"Of all out-of-fold faces{', with 95 % intervals' if with_intervals else ''}."
    difference_note = "Bars are 95 % intervals, not corrected for the number of pairs." if with_intervals else ""
    return {
        "scores": [
            model_intervals(title, _scores(models, metric), False, note=score_note) for metric, title in METRICS.items()
        ],
        "differences": [
            model_intervals(f"{title}: better − next", _differences(neighbours, metric), True, note=difference_note)
            for metric, title in METRICS.items()
            if neighbours
        ],
        "costs": [
            accuracy_by_cost("Accuracy and computation", _costs(models, "flops", "FLOPs"), "FLOPs per image"),
            accuracy_by_cost("Accuracy and speed", _costs(models, SPEED, "images/s"), "images/s in inference"),
        ],
    }


def _interval_table(first_column: str, rows: list[tuple]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=[first_column, "value", "low", "high"])
    return table.astype(dict.fromkeys(("low", "high"), float))


def _scores(models: dict, metric: str) -> pd.DataFrame:
    rows = [(name, *_value_and_interval(row["out_of_fold"], metric)) for name, row in models.items()]
    return _interval_table("model", rows)


def _value_and_interval(row: dict, metric: str) -> tuple[float, float | None, float | None]:
    interval = row.get("interval", {}).get(metric, {})
    return row[metric], interval.get("low"), interval.get("high")


def _differences(neighbours: list[dict], metric: str) -> pd.DataFrame:
    rows = []
    for pair in neighbours:
        row = pair[metric]
        rows.append((f"{pair['better']} − {pair['worse']}", row["difference"], row.get("low"), row.get("high")))
    return _interval_table("pair", rows)


def _costs(models: dict, cost: str, unit: str) -> pd.DataFrame:
    rows = [
        (model, row["cost"][cost], *_value_and_interval(row["out_of_fold"], "accuracy"))
        for model, row in models.items()
    ]
    table = pd.DataFrame(rows, columns=["model", unit, "accuracy", "low", "high"])
    return table.astype(dict.fromkeys(("low", "high"), float))
