"""Metrics of several models on the same faces."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stages.benchmark.comparison.variation import METRICS, Variation, variations
from stages.evaluation.intervals import MIN_GROUPS, confusion_metrics, group_confusions, group_strata, warning


@dataclass(frozen=True)
class PairedMetrics:
    """Macro-F1 and accuracy, 0 to 1, of several models on the same faces.

    Attributes:
        faces: number of faces.
        groups: number of groups of faces.
        seeds: number of runs of a model that predict a face.
        values: by metric, one value per model.
        variations: by metric. Empty if there are fewer than `MIN_GROUPS` groups.
    """

    faces: int
    groups: int
    seeds: int
    values: dict[str, np.ndarray]
    variations: dict[str, Variation]

    def of(self, model: int) -> dict:
        """Return the metrics of the model at this position, with confidence intervals if there are enough groups."""
        metrics = {"faces": self.faces, "groups": self.groups, **{name: self.values[name][model] for name in METRICS}}
        intervals = {name: variation.interval(model) for name, variation in self.variations.items()}
        return metrics | ({"interval": intervals, **warning(self.groups)} if intervals else {})

    def difference(self, metric: str, better: int, worse: int) -> dict[str, float]:
        """Return the `difference` of two models, with its interval and p-value if there are enough groups."""
        difference = {"difference": float(self.values[metric][better] - self.values[metric][worse])}
        return difference | (self.variations[metric].difference(better, worse) if self.variations else {})


def paired_metrics(models: list[list[pd.DataFrame]], labels: list[str]) -> PairedMetrics:
    """Compute the metrics of several models and how much they vary.

    Args:
        models: for each model the predictions of its runs, ordered by fold and seed: the columns id, dataset, label,
            group and prediction. A group is in one fold, and its faces are predicted by one run for each seed.
        labels: the labels, in order.
    """
    faces = pd.concat(models[0])
    seeds = len(faces) // faces["id"].nunique()
    names, members = np.unique(faces["group"], return_inverse=True)
    counts = [_counts(runs, names, seeds, labels) for runs in models]
    found = [confusion_metrics(cells.sum((0, 1))) for cells in counts]
    values = {name: np.array([metrics[name] for metrics in found]) for name in METRICS}
    if len(names) < MIN_GROUPS:
        return PairedMetrics(faces["id"].nunique(), len(names), seeds, values, {})
    rows = pd.concat([run.assign(fold=number // seeds) for number, run in enumerate(models[0])])
    folds = rows.groupby("group")["fold"].first().loc[names].to_numpy()
    varying = variations(counts, group_strata(faces["dataset"].to_numpy(), members), folds)
    return PairedMetrics(faces["id"].nunique(), len(names), seeds, values, varying)


def single_metrics(table: pd.DataFrame, labels: list[str]) -> dict[str, float]:
    """Return macro-F1 and accuracy, 0 to 1, of one model's predictions: columns group, label and prediction."""
    values = confusion_metrics(_counts([table], table["group"].unique(), 1, labels).sum((0, 1)))
    return {name: float(values[name]) for name in METRICS}


def _counts(runs: list[pd.DataFrame], names: np.ndarray, seeds: int, labels: list[str]) -> np.ndarray:
    """Return confusion matrices by group and seed, groups×seeds×labels×labels."""
    rows = pd.concat([run.assign(seed=number % seeds) for number, run in enumerate(runs)])
    truth, prediction = (pd.Index(labels).get_indexer(rows[name]) for name in ("label", "prediction"))
    cells = pd.Index(names).get_indexer(rows["group"]) * seeds + rows["seed"].to_numpy()
    counts = group_confusions(truth, prediction, cells, len(labels))
    return counts.reshape(len(names), seeds, len(labels), len(labels))
