"""The leaderboard: models ranked by their macro-F1 on faces that they were not trained on."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from stages.base.rounding import rounded
from stages.benchmark.comparison.paired_bootstrap import METRICS, PairedMetrics, paired_metrics, single_metrics
from stages.benchmark.comparison.significance import holm, p_value, rank_shares
from stages.evaluation.bootstrap import confidence_interval


@dataclass(frozen=True)
class Runs:
    """The runs of one model over folds and seeds.

    Attributes:
        validation: the predictions of each run for its validation fold: id, dataset, label, group, prediction.
        test: the same for the test faces.
        ensemble: the same for the test faces, by the mean probabilities of all runs.
        facts: further values of the model, which are copied into the leaderboard.
    """

    validation: list[pd.DataFrame]
    test: list[pd.DataFrame]
    ensemble: pd.DataFrame
    facts: dict[str, Any]


def leaderboard(models: dict[str, Runs], labels: list[str]) -> dict[str, Any]:
    """Return the metrics of all models, the best first, and the differences between neighbours in that order.

    The rank is by the macro-F1 of the out-of-fold predictions of all runs, never by test faces.

    Args:
        models: the runs of each model, of the same folds and seeds for all.
        labels: the labels, in order.

    Returns:
        `models` and `neighbours`, with numbers rounded to six decimals. `mean` and `std` are over the runs. Confidence
        intervals, p-values and `rank_shares` are missing if there are too few groups of faces.
    """
    runs = list(models.values())
    overall, validation = _metrics([pd.concat(run.validation, ignore_index=True) for run in runs], labels)
    _, ensemble = _metrics([run.ensemble for run in runs], labels)
    order = np.argsort(-overall.values["macro_f1"], kind="stable")
    shares = rank_shares(overall.resampled["macro_f1"]).tolist() if overall.resampled else None
    names = list(models)
    board: dict[str, dict[str, Any]] = {}
    for rank, position in enumerate(order.tolist(), 1):
        run = runs[position]
        board[names[position]] = {
            "rank": rank,
            "validation": validation[position] | _over_runs(run.validation, labels),
            "test": {"ensemble": ensemble[position]} | _over_runs(run.test, labels),
            **run.facts,
        }
        if shares:
            by_rank = {str(number): share for number, share in enumerate(shares[position], 1)}
            board[names[position]]["rank_shares"] = by_rank
    return {"models": rounded(board), "neighbours": rounded(_neighbours(overall, names, order))}


def _metrics(tables: list[pd.DataFrame], labels: list[str]) -> tuple[PairedMetrics, list[dict[str, Any]]]:
    """Return the paired metrics of all models, and for each model its metrics overall and per data set."""
    overall = paired_metrics(tables, labels)
    per_dataset = {
        dataset: paired_metrics([table[table["dataset"] == dataset] for table in tables], labels)
        for dataset in sorted(tables[0]["dataset"].unique())
    }
    return overall, [
        overall.of(model) | {"per_dataset": {dataset: part.of(model) for dataset, part in per_dataset.items()}}
        for model in range(len(tables))
    ]


def _over_runs(tables: list[pd.DataFrame], labels: list[str]) -> dict[str, Any]:
    """Return mean and standard deviation of the metrics of single runs; one run has no standard deviation."""
    single = pd.DataFrame([single_metrics(table, labels) for table in tables])
    spread = {"std": single.std().to_dict()} if len(tables) > 1 else {}
    return {"runs": len(tables), "mean": single.mean().to_dict(), **spread}


def _neighbours(overall: PairedMetrics, names: list[str], order: np.ndarray) -> dict[str, dict[str, Any]]:
    """Return the difference between each model and the next one in the ranking, by `better - worse`.

    Holm's correction is over the pairs, separately for macro-F1 and accuracy.
    """
    pairs = {f"{names[better]} - {names[worse]}": (better, worse) for better, worse in pairwise(order)}
    differences: dict[str, dict[str, Any]] = {pair: {} for pair in pairs}
    for name in METRICS:
        for pair, (better, worse) in pairs.items():
            differences[pair][name] = {"difference": overall.values[name][better] - overall.values[name][worse]}
            if overall.resampled:
                resampled = overall.resampled[name][:, better] - overall.resampled[name][:, worse]
                differences[pair][name] |= confidence_interval(resampled, overall.groups)
                differences[pair][name]["p"] = p_value(resampled, overall.groups)
        if overall.resampled:
            corrected = holm([differences[pair][name]["p"] for pair in pairs])
            for pair, value in zip(pairs, corrected, strict=True):
                differences[pair][name]["p_holm"] = value
    return differences
