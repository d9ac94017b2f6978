"""The leaderboard: models ranked by their macro-F1 on faces that they were not trained on."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from stages.base.rounding import rounded
from stages.benchmark.comparison.paired import PairedMetrics, paired_metrics, single_metrics
from stages.benchmark.comparison.significance import holm, rank_shares
from stages.benchmark.comparison.variation import METRICS


@dataclass(frozen=True)
class Runs:
    """The runs of one model, ordered by fold and, within a fold, by seed.

    Attributes:
        out_of_fold: the predictions of each run for its out-of-fold faces: id, dataset, label, group, prediction.
        test: the same for the test faces.
        ensemble: the same for the test faces, by the mean probabilities of all runs.
        facts: further values of the model, which are copied into the leaderboard.
    """

    out_of_fold: list[pd.DataFrame]
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
        `models` and `neighbours`, with numbers rounded to six decimals, and `seeds`, their number. `mean` and `std` are
        over the runs. Out-of-fold intervals and p-values are about the trained models if there is one seed, and about
        the recipes, trained again with other seeds on the same faces, if there are several. They and `rank_shares` are
        missing if there are too few groups of faces.
    """
    runs = list(models.values())
    overall, out_of_fold = _metrics([run.out_of_fold for run in runs], labels)
    _, ensemble = _metrics([[run.ensemble] for run in runs], labels)
    order = np.argsort(-overall.values["macro_f1"], kind="stable")
    names = list(models)
    board: dict[str, dict[str, Any]] = {}
    for rank, position in enumerate(order.tolist(), 1):
        run = runs[position]
        board[names[position]] = {
            "rank": rank,
            "out_of_fold": out_of_fold[position] | _over_runs(run.out_of_fold, labels),
            "test": {"ensemble": ensemble[position]} | _over_runs(run.test, labels),
            **run.facts,
        }
    if macro_f1 := overall.variations.get("macro_f1"):
        shares = rank_shares(macro_f1.values, macro_f1.covariance())
        for model, row in zip(names, shares.tolist(), strict=True):
            board[model]["rank_shares"] = {str(rank): share for rank, share in enumerate(row, 1)}
    neighbours = rounded(_neighbours(overall, names, order))
    return {"models": rounded(board), "neighbours": neighbours, "seeds": overall.seeds}


def _metrics(models: list[list[pd.DataFrame]], labels: list[str]) -> tuple[PairedMetrics, list[dict[str, Any]]]:
    """Return the paired metrics of all models, and for each model its metrics overall and per data set."""
    overall = paired_metrics(models, labels)
    per_dataset = {
        dataset: paired_metrics([[run[run["dataset"] == dataset] for run in runs] for runs in models], labels)
        for dataset in sorted(pd.concat(models[0])["dataset"].unique())
    }
    return overall, [
        overall.of(model) | {"per_dataset": {dataset: part.of(model) for dataset, part in per_dataset.items()}}
        for model in range(len(models))
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
    differences: dict[str, dict[str, Any]] = {
        f"{names[better]} - {names[worse]}": {name: overall.difference(name, better, worse) for name in METRICS}
        for better, worse in pairwise(order.tolist())
    }
    if overall.variations:
        for name in METRICS:
            corrected = holm([pair[name]["p"] for pair in differences.values()])
            for pair, value in zip(differences.values(), corrected, strict=True):
                pair[name]["p_holm"] = value
    return differences
