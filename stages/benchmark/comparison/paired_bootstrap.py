"""What several models make of the same faces, and what they would have made of others like them."""

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

MERITS = ("macro_f1", "accuracy")


@dataclass(frozen=True)
class Judgement:
    """Macro-F1 and accuracy, 0 to 1, of each of several models on some faces.

    `found` has a value a model, and `drawn` draws×models: groups of faces drawn anew, the same ones for all models.
    It is empty where there are fewer than `MIN_GROUPS` groups.
    """

    faces: int
    groups: int
    found: dict[str, np.ndarray]
    drawn: dict[str, np.ndarray]

    def told(self, model: int) -> dict:
        """The figures of the model at that place, with intervals where there are draws."""
        told = {"faces": self.faces, "groups": self.groups} | {name: self.found[name][model] for name in MERITS}
        intervals = {name: confidence_interval(values[:, model], self.groups) for name, values in self.drawn.items()}
        return told | ({"interval": intervals} if intervals else {})


def judge(tables: list[pd.DataFrame], labels: list[str], seed: int = 0) -> Judgement:
    """Judge models by what they say of the same faces, a table a model: id, label, group, prediction.

    The rows are in the same order in all. A face that models of several seeds look at has a row for each, and is
    drawn with all of them.
    """
    first = tables[0]
    names, members = np.unique(first["group"], return_inverse=True)
    cells = np.stack([_confusions(table, members, labels) for table in tables], axis=1)
    whole, drawn = confusion_metrics(cells.sum(0)), {}
    if len(names) >= MIN_GROUPS:
        bar = tqdm(resampled_counts(len(names), seed), "draw", RESAMPLES // BLOCK, unit="block", delay=2, disable=None)
        blocks = [confusion_metrics(np.tensordot(weights, cells, 1)) for weights in bar]
        drawn = {name: np.concatenate([block[name] for block in blocks]) for name in MERITS}
    return Judgement(first["id"].nunique(), len(names), {name: whole[name] for name in MERITS}, drawn)


def figures(table: pd.DataFrame, labels: list[str]) -> dict[str, float]:
    """Macro-F1 and accuracy of one model, without draws."""
    found = confusion_metrics(_confusions(table, np.zeros(len(table), int), labels)[0])
    return {name: found[name] for name in MERITS}


def _confusions(table: pd.DataFrame, members: np.ndarray, labels: list[str]) -> np.ndarray:
    truth, prediction = (pd.Index(labels).get_indexer(table[name]) for name in ("label", "prediction"))
    return group_confusions(truth, prediction, members, len(labels))
