"""The leaderboard: models in the order of what they make of faces that they were not trained on."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from stages.benchmark.comparison.paired_bootstrap import MERITS, Judgement, figures, judge
from stages.benchmark.comparison.significance import holm, p_value, rank_shares
from stages.evaluation.bootstrap import confidence_interval


@dataclass(frozen=True)
class Runs:
    """One model's runs over folds and seeds.

    `validation` and `test` have a table a run, `ensemble` is that of all runs' mean probabilities on the test faces;
    their columns are id, dataset, label, group and prediction. `facts` are told as they are.
    """

    validation: list[pd.DataFrame]
    test: list[pd.DataFrame]
    ensemble: pd.DataFrame
    facts: dict


def leaderboard(models: dict[str, Runs], labels: list[str]) -> dict[str, dict]:
    """The figures of `models`, the best first, and those of `neighbours` on the list compared; to six decimals.

    The rank goes by the macro-F1 of the out-of-fold faces of all runs, never by the test faces. `mean` and `std` are
    over the runs. All models have runs of the same folds and seeds. Without intervals, p-values and `rank_shares`
    where the groups of faces are too few.
    """
    runs = list(models.values())
    overall, validation = _judged([pd.concat(run.validation, ignore_index=True) for run in runs], labels)
    _, ensemble = _judged([run.ensemble for run in runs], labels)
    order = np.argsort(-overall.found["macro_f1"], kind="stable")
    shares = rank_shares(overall.drawn["macro_f1"]).tolist() if overall.drawn else None
    names, board = list(models), {}
    for rank, place in enumerate(order.tolist(), 1):
        run = runs[place]
        board[names[place]] = {
            "rank": rank,
            "validation": validation[place] | _over(run.validation, labels),
            "test": {"ensemble": ensemble[place]} | _over(run.test, labels),
            **run.facts,
        }
        if shares:
            board[names[place]]["rank_shares"] = {str(number): share for number, share in enumerate(shares[place], 1)}
    return _told({"models": board, "neighbours": _neighbours(overall, names, order)})


def _judged(tables: list[pd.DataFrame], labels: list[str]) -> tuple[Judgement, list[dict]]:
    """The judgement of models by their tables, and what is told of each, overall and per data set."""
    overall = judge(tables, labels)
    sets = {
        dataset: judge([table[table["dataset"] == dataset] for table in tables], labels)
        for dataset in sorted(tables[0]["dataset"].unique())
    }
    return overall, [
        overall.told(model) | {"per_dataset": {dataset: part.told(model) for dataset, part in sets.items()}}
        for model in range(len(tables))
    ]


def _over(tables: list[pd.DataFrame], labels: list[str]) -> dict[str, dict]:
    """The mean and the standard deviation of single runs' figures; of one run there is no deviation."""
    single = pd.DataFrame([figures(table, labels) for table in tables])
    spread = {"std": single.std().to_dict()} if len(tables) > 1 else {}
    return {"runs": len(tables), "mean": single.mean().to_dict(), **spread}


def _neighbours(overall: Judgement, names: list[str], order: np.ndarray) -> dict[str, dict]:
    """Each model's figures less those of the next on the list, by `better - worse`.

    Holm's correction is over the pairs, for macro-F1 and accuracy apart.
    """
    pairs = {f"{names[better]} - {names[worse]}": (better, worse) for better, worse in pairwise(order)}
    found = {pair: {} for pair in pairs}
    for name in MERITS:
        for pair, (better, worse) in pairs.items():
            found[pair][name] = {"difference": overall.found[name][better] - overall.found[name][worse]}
            if overall.drawn:
                drawn = overall.drawn[name][:, better] - overall.drawn[name][:, worse]
                found[pair][name] |= confidence_interval(drawn, overall.groups) | {"p": p_value(drawn, overall.groups)}
        if overall.drawn:
            corrected = holm([found[pair][name]["p"] for pair in pairs])
            for pair, value in zip(pairs, corrected):
                found[pair][name]["p_holm"] = value
    return found


def _told(found: dict) -> dict:
    return {
        name: _told(value) if isinstance(value, dict) else round(float(value), 6) if isinstance(value, float) else value
        for name, value in found.items()
    }
