"""All charts of the report, in the order they are shown in."""

import pandas as pd

from stages.reporting import charts
from stages.reporting.chart import Chart

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
        "classes": [
            charts.classes(name, rows, labels) for name, rows in explore["classes"].groupby("dataset", sort=False)
        ],
        "light": [
            charts.light(name.capitalize(), rows, note=LIGHT.get(name, ""))
            for name, rows in explore["light"].groupby("quantity", sort=False)
        ],
        "training": [
            charts.course(title, parts, kept, note=note)
            for name, (title, note) in COURSES.items()
            if (parts := _parts(training, name))
        ],
        "intervals": [charts.intervals(title, _figures(test, name)) for name, title in INTERVALS.items()],
        "per_class": charts.per_class("Precision, recall and F1", evaluation["per_class"]),
        "curves": [
            charts.roc("ROC", evaluation["roc"], areas, note=f"{AGAINST}, with the area under its curve."),
            charts.precision_recall("Precision over recall", evaluation["precision_recall"], f1, note=f"{AGAINST}."),
        ] if areas else [],  # one class alone is told from nothing
        "calibration": [
            charts.reliability("Reliability", evaluation["reliability"]),
            charts.probabilities("Probabilities", evaluation["probabilities"]),
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
