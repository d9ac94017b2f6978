"""Metrics of several models on the same faces, and their paired bootstrap over groups of faces."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from tqdm import tqdm

from stages.evaluation.bootstrap import (
    BLOCK,
    MIN_GROUPS,
    RESAMPLES,
    confidence_interval,
    confusion_metrics,
    group_confusions,
    resampled_counts,
)

METRICS = ("macro_f1", "accuracy")


@dataclass(frozen=True)
class PairedMetrics:
    """Macro-F1 and accuracy, 0 to 1, of several models on the same faces.

    Attributes:
        faces: number of faces.
        groups: number of groups of faces.
        values: by metric, one value per model.
        resampled: by metric, an array resamples×models. Every resample draws the same groups for all models. Empty if
            there are fewer than `MIN_GROUPS` groups.
    """

    faces: int
    groups: int
    values: dict[str, np.ndarray]
    resampled: dict[str, np.ndarray]

    def of(self, model: int) -> dict:
        """Return the metrics of the model at this position, with confidence intervals if there are resamples."""
        metrics = {"faces": self.faces, "groups": self.groups, **{name: self.values[name][model] for name in METRICS}}
        intervals = {
            name: confidence_interval(values[:, model], self.groups) for name, values in self.resampled.items()
        }
        return metrics | ({"interval": intervals} if intervals else {})


def paired_metrics(tables: list[pd.DataFrame], labels: list[str], seed: int = 0) -> PairedMetrics:
    """Compute the metrics of several models and resample them (Koehn, Statistical Significance Tests, 2004).

    Args:
        tables: the predictions of each model: the columns id, label, group and prediction, with the rows in the same
            order in every table. A face that models of several seeds predicted has one row for each of them; they are
            resampled together.
        labels: the labels, in order.
        seed: seed of the resampling.
    """
    first = tables[0]
    names, members = np.unique(first["group"], return_inverse=True)
    cells = np.stack([_group_confusions(table, members, labels) for table in tables], axis=1)
    values, resampled = confusion_metrics(cells.sum(0)), {}
    if len(names) >= MIN_GROUPS:
        counts = resampled_counts(len(names), seed)
        bar = tqdm(counts, "resample", RESAMPLES // BLOCK, unit="block", delay=2, disable=None)
        blocks = [confusion_metrics(np.tensordot(weights, cells, 1)) for weights in bar]
        resampled = {name: np.concatenate([block[name] for block in blocks]) for name in METRICS}
    return PairedMetrics(first["id"].nunique(), len(names), {name: values[name] for name in METRICS}, resampled)


def single_metrics(table: pd.DataFrame, labels: list[str]) -> dict[str, float]:
    """Return macro-F1 and accuracy, 0 to 1, of one model's predictions: columns label and prediction."""
    values = confusion_metrics(_group_confusions(table, np.zeros(len(table), int), labels)[0])
    return {name: float(values[name]) for name in METRICS}


def _group_confusions(table: pd.DataFrame, members: np.ndarray, labels: list[str]) -> np.ndarray:
    truth, prediction = (pd.Index(labels).get_indexer(table[name]) for name in ("label", "prediction"))
    return group_confusions(truth, prediction, members, len(labels))
