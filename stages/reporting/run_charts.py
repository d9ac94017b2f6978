"""The charts of the report."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stages.reporting.chart import Chart, chart
from stages.reporting.svg import INK, LINE, SERIES, drawing

DASHES = ["-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (7, 2, 1.5, 2)), (0, (10, 3))]  # series differ in more than colour
MARKERS = ["o", "s", "D", "^", "v"]


@chart
def classes(rows: pd.DataFrame, labels: list[str]) -> tuple[Figure, str, pd.DataFrame]:
    """How many faces each label has: part, label, faces; a bar a label, in their order, of its parts end to end."""
    table = rows.pivot_table(index="label", columns="part", values="faces", aggfunc="sum", fill_value=0)
    parts = [part for part in ("train", "test", "unused") if part in table]
    table = table.loc[[label for label in labels if label in table.index], parts]
    figure = drawing(70 + 26 * len(table))
    axes = figure.subplots()
    left = pd.Series(0, table.index)
    for part, colour in zip(table, SERIES):
        axes.barh(table.index, table[part], left=left, color=colour, label=part, height=0.72)
        left += table[part]
    for place, faces in enumerate(left):
        axes.annotate(f"{faces:,}", (faces, place), (4, 0), textcoords="offset points", va="center")
    axes.margins(x=0.14)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    _legend(axes)
    most, least = left.idxmax(), left.idxmin()
    told = f"bars of faces a label, from {least} ({left[least]:,}) to {most} ({left[most]:,})"
    return figure, told, table.assign(all=left).reset_index()


@chart
def light(rows: pd.DataFrame) -> tuple[Figure, str, pd.DataFrame]:
    """A distribution in each data set: dataset, value, share of its faces; a line a data set."""
    table = rows.pivot_table(index="value", columns="dataset", values="share", aggfunc="sum", sort=False)
    table = table.sort_index()
    figure = drawing(250)
    axes = figure.subplots()
    for dataset, colour, dashes in zip(table, SERIES, DASHES):
        axes.plot(table.index, table[dataset], color=colour, linestyle=dashes, label=dataset)
    axes.set(ylabel="share of faces")
    axes.set_ylim(bottom=0)
    _legend(axes)
    peaks = ", ".join(f"{dataset} most often about {table[dataset].idxmax():.4g}" for dataset in table)
    return figure, f"a line a data set; {peaks}", table.reset_index()


@chart
def course(parts: dict[str, pd.Series], kept: int) -> tuple[Figure, str, pd.DataFrame]:
    """One figure over the epochs, which count from 1, in each part; `kept` is the epoch that was kept."""
    table = pd.DataFrame(parts).rename_axis("epoch")
    figure = drawing(230)
    axes = figure.subplots()
    for part, colour, dashes, marker in zip(table, SERIES, DASHES, MARKERS):
        dots = {"marker": marker, "markersize": 3.5} if len(table) <= 30 else {}
        axes.plot(table.index, table[part], color=colour, linestyle=dashes, label=part, **dots)
    axes.axvline(kept, color=INK, linewidth=1, linestyle=(0, (2, 2)), label=f"kept: epoch {kept}")
    axes.set(xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    _legend(axes)
    ends = ", ".join(f"{part} from {column.iloc[0]:.3g} to {column.iloc[-1]:.3g}" for part, column in table.items())
    return figure, f"{ends} in {len(table)} epochs; epoch {kept} was kept", table.reset_index()


@chart
def intervals(rows: pd.DataFrame) -> tuple[Figure, str, pd.DataFrame]:
    """A figure of each part of the test faces: part, value, low, high; the last two may be missing."""
    figure = drawing(50 + 30 * len(rows))
    axes = figure.subplots()
    axes.hlines(range(len(rows)), rows.low, rows.high, color=SERIES[0], linewidth=3, alpha=0.55)
    axes.plot(rows.value, range(len(rows)), "o", color=SERIES[0], markersize=7)
    axes.set_yticks(range(len(rows)), rows.part)
    axes.set_xlim(0, 1)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    told = ", ".join(f"{row.part} {row.value:.3f}" for row in rows.itertuples())
    return figure, told, rows


@chart
def per_class(rows: pd.DataFrame) -> tuple[Figure, str, pd.DataFrame]:
    """Precision, recall and F1 of each label: label and these three; a line a label with a mark for each."""
    figure = drawing(60 + 27 * len(rows))
    axes = figure.subplots()
    names = ["precision", "recall", "f1"]
    axes.hlines(rows.label, rows[names].min(axis=1), rows[names].max(axis=1), color=LINE, linewidth=3)
    for name, colour, marker in zip(names, SERIES, MARKERS):
        axes.plot(rows[name], rows.label, marker, color=colour, markersize=7, label=name.replace("f1", "F1"))
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    _legend(axes)
    best, worst = rows.loc[rows.f1.idxmax()], rows.loc[rows.f1.idxmin()]
    return figure, f"F1 from {worst.f1:.3f} ({worst.label}) to {best.f1:.3f} ({best.label})", rows


@chart
def roc(rows: pd.DataFrame, areas: dict[str, float]) -> tuple[Figure, str, pd.DataFrame]:
    """Each label's ROC curve against the rest: label, fpr, tpr; `areas` are those under the curves, where known."""
    figure = _small_multiples(rows, "fpr", "tpr", areas, diagonal=True)
    table = _read_off(rows, "fpr", "tpr", [0.01, 0.05, 0.1, 0.2, 0.5], "false alarms up to {:.0%}")
    told = "; ".join(f"{label} has an area of {area:.3f}" for label, area in areas.items())
    return figure, f"a curve a label, share of false alarms against share found; {told}", table


@chart
def precision_recall(rows: pd.DataFrame, f1: dict[str, float]) -> tuple[Figure, str, pd.DataFrame]:
    """Each label's precision over its recall: label, recall, precision."""
    figure = _small_multiples(rows, "recall", "precision", {}, diagonal=False)
    table = _read_off(rows, "recall", "precision", [0.2, 0.5, 0.8, 0.9, 0.95], "{:.0%} found", least=True)
    told = "; ".join(f"{label} reaches {value:.3f}" for label, value in f1.items())
    return figure, f"a curve a label, share found against precision; F1 of the predictions: {told}", table


@chart
def reliability(rows: pd.DataFrame) -> tuple[Figure, str, pd.DataFrame]:
    """How often predictions of about one probability are right: probabilities, confidence, accuracy, faces."""
    figure = drawing(300)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=(0, (2, 2)), label="perfect")
    told = []
    names = {"raw": "before scaling", "calibrated": "after scaling"}
    for (name, bins), colour, dashes, marker in zip(rows.groupby("probabilities", sort=False), SERIES, DASHES, MARKERS):
        line = {"color": colour, "linestyle": dashes, "marker": marker, "markersize": 5}
        axes.plot(bins.confidence, bins.accuracy, label=names[name], **line)
        gap = (bins.faces * (bins.confidence - bins.accuracy).abs()).sum() / bins.faces.sum()
        told.append(f"{names[name]} off by {gap:.3f} on average")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="probability given", ylabel="share right")
    _legend(axes)
    return figure, ", ".join(told), rows.replace({"probabilities": names})


@chart
def probabilities(rows: pd.DataFrame) -> tuple[Figure, str, pd.DataFrame]:
    """How sure right and wrong predictions are: outcome, probability (the middle of a bin), faces."""
    table = rows.pivot_table(index="probability", columns="outcome", values="faces", aggfunc="sum", fill_value=0)
    table = table.sort_index()
    width = min(pd.Series(table.index).diff().min(), 0.1) if len(table) > 1 else 0.05
    figure = drawing(300)
    panels = figure.subplots(len(table.columns), sharex=True, squeeze=False).ravel()
    for axes, outcome, colour in zip(panels, table, SERIES):
        axes.bar(table.index, table[outcome], width * 0.86, color=colour)
        axes.set_title(f"{outcome}: {table[outcome].sum():,} faces")
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.grid(axis="x", visible=False)
    panels[-1].set(xlim=(0, 1), xlabel="probability of the predicted class")
    means = [(outcome, (table.index * table[outcome]).sum() / max(table[outcome].sum(), 1)) for outcome in table]
    told = ", ".join(f"{outcome} predictions {mean:.2f} on average" for outcome, mean in means)
    return figure, told, table.reset_index()


def _small_multiples(rows: pd.DataFrame, x: str, y: str, areas: dict[str, float], diagonal: bool) -> Figure:
    """A small panel a label, so that no curve hides another."""
    labels = rows.label.unique()
    height = -(-len(labels) // 3)
    figure = drawing(30 + 125 * height)
    panels = figure.subplots(height, 3, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, label in zip(panels, labels):
        curve = rows[rows.label == label]
        if diagonal:
            axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
        axes.plot(curve[x], curve[y], color=SERIES[0])
        axes.set_title(label)
        axes.set(xlim=(0, 1), ylim=(0, 1.03), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
        axes.set_xticklabels(["0", "½", "1"])
        axes.set_yticklabels(["0", "½", "1"])
        axes.tick_params(labelbottom=True)
        if label in areas:
            axes.text(0.95, 0.08, f"{areas[label]:.3f}", ha="right")
    for axes in panels[len(labels) :]:
        axes.remove()
    words = {"fpr": "false alarms", "tpr": "found", "recall": "found", "precision": "precision"}
    figure.supxlabel(words[x], fontsize=12)
    figure.supylabel(words[y], fontsize=12)
    return figure


def _read_off(rows: pd.DataFrame, x: str, y: str, at: list[float], heading: str, least: bool = False) -> pd.DataFrame:
    """A row a label: the largest `y` on its curve where `x` is at most each of `at`, or with `least` at least it."""
    table = {"label": rows.label.unique()}
    for limit in at:
        within = rows[rows[x] >= limit] if least else rows[rows[x] <= limit]
        table[heading.format(limit)] = within.groupby("label")[y].max().reindex(table["label"]).to_numpy()
    return pd.DataFrame(table)


def _legend(axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    columns = 3 if max(len(label) for label in labels) < 17 else 2
    axes.figure.legend(handles, labels, loc="outside upper left", ncols=min(columns, len(labels)))


Tables = dict[str, pd.DataFrame]
COURSES = {
    "loss": ("Loss", "What training makes small: lower is better."),
    "accuracy": ("Accuracy", "Share of faces named right."),
    "balanced_accuracy": ("Balanced accuracy", "Mean of the shares found of each class."),
    "macro_f1": ("Macro-F1", "The epoch where validation is best here is kept."),
    "auroc": ("AUROC", "1 where each class is always ranked above the rest, 0.5 by chance."),
    "lr": ("Learning rate", ""),
}
AGAINST = "Each class against the rest"
INTERVALS = {"accuracy": "Accuracy and its interval", "macro_f1": "Macro-F1 and its interval"}
LIGHT = {
    "brightness": "Mean grey level of a face, 0 to 255.",
    "sharpness": "Variance of the Laplacian, log10(1 + variance): the lower, the more blurred.",
}


def album(
    explore: Tables, training: Tables, evaluation: Tables, test: dict, labels: list[str], kept: int
) -> dict[str, Chart | list[Chart]]:
    """The charts by what they show: classes, light, training, intervals, per_class, curves, calibration.

    `explore`, `training` and `evaluation` are the tables of those stages by name, `test` the figures of the test
    faces, and `kept` the epoch that was kept.
    """
    areas = {label: row["auroc"] for label, row in test["per_class"].items() if "auroc" in row}
    f1 = {label: row["f1"] for label, row in test["per_class"].items()}
    return {
        "classes": [classes(name, rows, labels) for name, rows in explore["classes"].groupby("dataset", sort=False)],
        "light": [
            light(name.capitalize(), rows, note=LIGHT.get(name, ""))
            for name, rows in explore["light"].groupby("quantity", sort=False)
        ],
        "training": [
            course(title, parts, kept, note=note)
            for name, (title, note) in COURSES.items()
            if (parts := _parts(training, name))
        ],
        "intervals": [intervals(title, _figures(test, name)) for name, title in INTERVALS.items()],
        "per_class": per_class("Precision, recall and F1", evaluation["per_class"]),
        "curves": [
            roc("ROC", evaluation["roc"], areas, note=f"{AGAINST}, with the area under its curve."),
            precision_recall("Precision over recall", evaluation["precision_recall"], f1, note=f"{AGAINST}."),
        ]
        if areas
        else [],  # one class alone is told from nothing
        "calibration": [
            reliability("Reliability", evaluation["reliability"]),
            probabilities("Probabilities", evaluation["probabilities"]),
        ],
    }


def _parts(training: Tables, name: str) -> dict[str, pd.Series]:
    """One figure in each part of the training that has it, by epoch, from 1 on."""
    keys = {"train": f"train/{name}", "validation": f"validation/{name}", "rate": name}
    found = {part: training[key] for part, key in keys.items() if key in training}
    return {part: table[name].set_axis(table["step"] + 1) for part, table in found.items()}


def _figures(test: dict, name: str) -> pd.DataFrame:
    """One figure with its interval, of all test faces and of each data set: part, value, low, high."""
    parts = {"all": test, **test["per_dataset"]}
    rows = [{"part": part, "value": row[name], **row.get("interval", {}).get(name, {})} for part, row in parts.items()]
    return pd.DataFrame(rows, columns=["part", "value", "low", "high"])
