"""The charts of the report on one run."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stages.base.errors import InputError
from stages.reporting.chart import Chart, chart
from stages.reporting.svg import INK, LINE, SERIES, new_figure

Dashes = tuple[float, tuple[float, ...]]
# Series differ in more than colour, for readers who do not see colours.
DASHES: list[str | Dashes] = ["-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (7, 2, 1.5, 2)), (0, (10, 3))]
MARKERS = ["o", "s", "D", "^", "v"]


@chart
def class_counts(rows: pd.DataFrame, labels: list[str]) -> tuple[Figure, str, pd.DataFrame]:
    """Draw a bar for each label, stacked by subset.

    Args:
        rows: columns part (train, test or unused), label and faces.
        labels: the order of the bars.
    """
    table = rows.pivot_table(index="label", columns="part", values="faces", aggfunc="sum", fill_value=0)
    subsets = [subset for subset in ("train", "test", "unused") if subset in table]
    table = table.loc[[label for label in labels if label in table.index], subsets]
    figure = new_figure(70 + 26 * len(table))
    axes = figure.subplots()
    total = pd.Series(0, table.index)
    for subset, colour in zip(table, SERIES, strict=False):
        axes.barh(table.index, table[subset], left=total, color=colour, label=subset, height=0.72)
        total += table[subset]
    for position, faces in enumerate(total):
        axes.annotate(f"{faces:,}", (faces, position), (4, 0), textcoords="offset points", va="center")
    axes.margins(x=0.14)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    _legend(axes)
    largest, smallest = total.idxmax(), total.idxmin()
    description = (
        f"faces of each label; the most for {largest} ({total[largest]:,}), "
        f"the fewest for {smallest} ({total[smallest]:,})"
    )
    return figure, description, table.assign(all=total).reset_index()


@chart
def distribution(rows: pd.DataFrame) -> tuple[Figure, str, pd.DataFrame]:
    """Draw a histogram of each data set as a line.

    Args:
        rows: columns dataset, value (of a bin) and share (of the data set's faces, 0 to 1).
    """
    table = rows.pivot_table(index="value", columns="dataset", values="share", aggfunc="sum", sort=False)
    table = table.sort_index()
    figure = new_figure(250)
    axes = figure.subplots()
    for dataset, colour, dashes in zip(table, SERIES, DASHES, strict=False):
        axes.plot(table.index, table[dataset], color=colour, linestyle=dashes, label=dataset)
    axes.set(ylabel="share of faces")
    axes.set_ylim(bottom=0)
    _legend(axes)
    peaks = ", ".join(f"{dataset} {table[dataset].idxmax():.4g}" for dataset in table)
    return figure, f"distribution in each data set; most frequent value: {peaks}", table.reset_index()


@chart
def training_curve(curves: Mapping[str, pd.Series], best_epoch: int) -> tuple[Figure, str, pd.DataFrame]:
    """Draw a metric over the epochs, which count from 1.

    Args:
        curves: the values by epoch of each subset.
        best_epoch: the epoch whose weights are the model.
    """
    table = pd.DataFrame(curves).rename_axis("epoch")
    figure = new_figure(230)
    axes = figure.subplots()
    for subset, colour, dashes, marker in zip(table, SERIES, DASHES, MARKERS, strict=False):
        marker = marker if len(table) <= 30 else "None"
        axes.plot(
            table.index, table[subset], color=colour, linestyle=dashes, label=subset, marker=marker, markersize=3.5
        )
    axes.axvline(best_epoch, color=INK, linewidth=1, linestyle=(0, (2, 2)), label=f"best epoch: {best_epoch}")
    axes.set(xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    _legend(axes)
    ends = ", ".join(f"{subset} from {row.iloc[0]:.3g} to {row.iloc[-1]:.3g}" for subset, row in table.items())
    epochs = f"{len(table)} epoch{'s' if len(table) > 1 else ''}"
    return figure, f"{ends} in {epochs}; the best epoch is {best_epoch}", table.reset_index()


@chart
def metric_intervals(rows: pd.DataFrame) -> tuple[Figure, str, pd.DataFrame]:
    """Draw a metric with its confidence interval, 0 to 1, for each row.

    Args:
        rows: columns part, value, low and high; the last two can be missing values.
    """
    figure = new_figure(50 + 30 * len(rows))
    axes = figure.subplots()
    axes.hlines(range(len(rows)), rows.low, rows.high, color=SERIES[0], linewidth=3, alpha=0.55)
    axes.plot(rows.value, range(len(rows)), "o", color=SERIES[0], markersize=7)
    axes.set_yticks(range(len(rows)), rows.part)
    axes.set_xlim(0, 1)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    description = ", ".join(f"{row.part} {row.value:.3f}" for row in rows.itertuples())
    return figure, description, rows


@chart
def per_class(rows: pd.DataFrame) -> tuple[Figure, str, pd.DataFrame]:
    """Draw precision, recall and F1 as marks on a line for each label.

    Args:
        rows: columns label, precision, recall, f1 and faces.
    """
    figure = new_figure(60 + 27 * len(rows))
    axes = figure.subplots()
    names = ["precision", "recall", "f1"]
    axes.hlines(rows.label, rows[names].min(axis=1), rows[names].max(axis=1), color=LINE, linewidth=3)
    for name, colour, marker in zip(names, SERIES, MARKERS, strict=False):
        axes.plot(rows[name], rows.label, marker, color=colour, markersize=7, label=name.replace("f1", "F1"))
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    _legend(axes)
    best, worst = rows.loc[rows.f1.idxmax()], rows.loc[rows.f1.idxmin()]
    return figure, f"F1 from {worst.f1:.3f} ({worst.label}) to {best.f1:.3f} ({best.label})", rows


@chart
def roc(rows: pd.DataFrame, areas: dict[str, float]) -> tuple[Figure, str, pd.DataFrame]:
    """Draw the ROC curve of each label against all others.

    Args:
        rows: columns label, fpr and tpr.
        areas: the area under the curve of each label that has one.
    """
    figure = _small_multiples(rows, "fpr", "tpr", areas, diagonal=True)
    table = _best_values(rows, "fpr", "tpr", [0.01, 0.05, 0.1, 0.2, 0.5], "FPR ≤ {:.0%}")
    description = ", ".join(f"{label} {area:.3f}" for label, area in areas.items())
    return figure, f"true over false positive rate of each label; areas under the curves: {description}", table


@chart
def precision_recall(rows: pd.DataFrame, f1: dict[str, float]) -> tuple[Figure, str, pd.DataFrame]:
    """Draw precision over recall of each label against all others.

    Args:
        rows: columns label, recall and precision.
        f1: the F1 of each label's predictions.
    """
    figure = _small_multiples(rows, "recall", "precision", {}, diagonal=False)
    table = _best_values(rows, "recall", "precision", [0.2, 0.5, 0.8, 0.9, 0.95], "recall ≥ {:.0%}", at_least=True)
    description = ", ".join(f"{label} {value:.3f}" for label, value in f1.items())
    return figure, f"precision over recall of each label; F1 of the predictions: {description}", table


@chart
def reliability(rows: pd.DataFrame) -> tuple[Figure, str, pd.DataFrame]:
    """Draw accuracy over predicted probability, before and after temperature scaling.

    Args:
        rows: columns probabilities (raw or calibrated), confidence, accuracy and faces.
    """
    figure = new_figure(300)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=(0, (2, 2)), label="ideal")
    errors = []
    names = {"raw": "before scaling", "calibrated": "after scaling"}
    groups = rows.groupby("probabilities", sort=False)
    for (name, bins), colour, dashes, marker in zip(groups, SERIES, DASHES, MARKERS, strict=False):
        axes.plot(
            bins.confidence,
            bins.accuracy,
            label=names[name],
            color=colour,
            linestyle=dashes,
            marker=marker,
            markersize=5,
        )
        error = (bins.faces * (bins.confidence - bins.accuracy).abs()).sum() / bins.faces.sum()
        errors.append(f"{error:.3f} {names[name]}")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="predicted probability", ylabel="accuracy")
    _legend(axes)
    return figure, f"calibration error {', '.join(errors)}", rows.replace({"probabilities": names})


@chart
def probability_histograms(rows: pd.DataFrame) -> tuple[Figure, str, pd.DataFrame]:
    """Draw histograms of the predicted class's probability, of right and of wrong predictions.

    Args:
        rows: columns outcome (right or wrong), probability (middle of a bin) and faces.
    """
    table = rows.pivot_table(index="probability", columns="outcome", values="faces", aggfunc="sum", fill_value=0)
    table = table.sort_index()
    width = min(pd.Series(table.index).diff().min(), 0.1) if len(table) > 1 else 0.05
    figure = new_figure(300)
    panels = figure.subplots(len(table.columns), sharex=True, squeeze=False).ravel()
    for axes, outcome, colour in zip(panels, table, SERIES, strict=False):
        axes.bar(table.index, table[outcome], width * 0.86, color=colour)
        axes.set_title(f"{outcome}: {table[outcome].sum():,} faces")
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.grid(axis="x", visible=False)
    panels[-1].set(xlim=(0, 1), xlabel="probability of the predicted class")
    sums = {outcome: table[outcome].sum() for outcome in table}
    description = ", ".join(
        f"{(table.index * table[outcome]).sum() / total:.2f} for {outcome} predictions"
        if total
        else f"no {outcome} prediction"
        for outcome, total in sums.items()
    )
    return figure, f"mean probability {description}", table.reset_index()


def _small_multiples(rows: pd.DataFrame, x: str, y: str, areas: dict[str, float], diagonal: bool) -> Figure:
    """Draw a small panel for each label, so that no curve hides another."""
    labels = rows.label.unique()
    height = -(-len(labels) // 3)
    figure = new_figure(30 + 125 * height)
    panels = figure.subplots(height, 3, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, label in zip(panels, labels, strict=False):
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
    names = {"fpr": "false positive rate", "tpr": "true positive rate"}
    figure.supxlabel(names.get(x, x), fontsize=12)
    figure.supylabel(names.get(y, y), fontsize=12)
    return figure


def _best_values(
    rows: pd.DataFrame, x: str, y: str, limits: list[float], heading: str, at_least: bool = False
) -> pd.DataFrame:
    """Return the largest `y` of each label where `x` is at most (or `at_least`) each limit, in a column per limit."""
    table = {"label": rows.label.unique()}
    for limit in limits:
        within = rows[rows[x] >= limit] if at_least else rows[rows[x] <= limit]
        table[heading.format(limit)] = within.groupby("label")[y].max().reindex(table["label"]).to_numpy()
    return pd.DataFrame(table)


def _legend(axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    columns = 3 if max(len(label) for label in labels) < 17 else 2
    axes.figure.legend(handles, labels, loc="outside upper left", ncols=min(columns, len(labels)))


Tables = dict[str, pd.DataFrame]
CURVES = {  # title and note
    "loss": ("Loss", "Cross-entropy; lower is better."),
    "accuracy": ("Accuracy", "Share of correct predictions."),
    "balanced_accuracy": ("Balanced accuracy", "Mean recall over classes."),
    "macro_f1": ("Macro-F1", "Mean F1 over classes. The epoch with the best validation value is the model."),
    "auroc": ("AUROC", "Mean area under the ROC curves of the classes; 0.5 is chance level."),
    "lr": ("Learning rate", ""),
}
INTERVALS = {"accuracy": "Accuracy and its interval", "macro_f1": "Macro-F1 and its interval"}
QUANTITIES = {
    "brightness": "Mean grey level of a face, 0 (black) to 255 (white).",
    "sharpness": "log10(1 + variance of the Laplacian); low values are blurred.",
}


def run_charts(
    explore: Tables, training: Tables, evaluation: Tables, test: dict, labels: list[str], best_epoch: int
) -> dict[str, Chart | list[Chart]]:
    """Return the charts of the report by section.

    Args:
        explore: tables of the explore stage, by name.
        training: training curves, by name.
        evaluation: tables of the evaluate stage, by name.
        test: metrics of the test faces.
        labels: the names of the classes.
        best_epoch: the epoch whose weights are the model, from 1.

    Raises:
        InputError: a table of the evaluate stage has no rows.
    """
    areas = {label: row["auroc"] for label, row in test["per_class"].items() if "auroc" in row}
    f1 = {label: row["f1"] for label, row in test["per_class"].items()}
    for name, rows in evaluation.items():
        if rows.empty and (areas or name not in ("roc", "precision_recall")):
            raise InputError(f"{name}.csv has no rows; run the stage evaluate again")
    return {
        "classes": [
            class_counts(name, rows, labels) for name, rows in explore["classes"].groupby("dataset", sort=False)
        ],
        "light": [
            distribution(name.capitalize(), rows, note=QUANTITIES.get(name, ""))
            for name, rows in explore["light"].groupby("quantity", sort=False)
        ],
        "training": [
            training_curve(title, curves, best_epoch, note=note)
            for name, (title, note) in CURVES.items()
            if (curves := _curves(training, name))
        ],
        "intervals": [metric_intervals(title, _intervals(test, name)) for name, title in INTERVALS.items()],
        "per_class": per_class("Precision, recall and F1", evaluation["per_class"]),
        "curves": [
            roc("ROC", evaluation["roc"], areas, note="Each class against all others, with the area under the curve."),
            precision_recall(
                "Precision and recall", evaluation["precision_recall"], f1, note="Each class against all others."
            ),
        ]
        if areas
        else [],  # a single class has no curve
        "calibration": [
            reliability("Reliability", evaluation["reliability"]),
            probability_histograms("Probabilities", evaluation["probabilities"]),
        ],
    }


def _curves(training: Tables, name: str) -> dict[str, pd.Series]:
    """Return a metric by epoch, from 1, for each subset that has it."""
    keys = {"train": f"train/{name}", "validation": f"validation/{name}", "rate": name}
    tables = {subset: training[key] for subset, key in keys.items() if key in training}
    return {subset: table[name].set_axis(table["step"] + 1) for subset, table in tables.items()}


def _intervals(test: dict, name: str) -> pd.DataFrame:
    """Return a metric with its interval for all test faces and for each data set: part, value, low, high."""
    parts = {"all": test, **test["per_dataset"]}
    rows = [{"part": part, "value": row[name], **row.get("interval", {}).get(name, {})} for part, row in parts.items()]
    return pd.DataFrame(rows, columns=["part", "value", "low", "high"])
