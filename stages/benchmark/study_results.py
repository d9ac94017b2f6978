"""The metrics of a study, from the predictions and metrics of its runs."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from stages.base.errors import InputError
from stages.base.rounding import rounded
from stages.benchmark.comparison.paired import paired_metrics, single_metrics
from stages.benchmark.jobs.snapshot import git
from stages.benchmark.results import FACE, ensemble
from stages.faces.table import read_index

METRICS = ("accuracy", "macro_f1")


@dataclass(frozen=True)
class StudyRun:
    """What one run of a study left.

    Attributes:
        predictions: of the test faces: the columns of a face, prediction, and the probability of each label.
        metrics: the content of metrics.json.
        training: the content of training.json: device, CPU threads, precision, seconds, version of torch.
        commit: the commit from which the run was made.
    """

    predictions: pd.DataFrame
    metrics: dict[str, Any]
    training: dict[str, Any]
    commit: str

    @property
    def labels(self) -> list[str]:
        """The labels, in the order of the classes."""
        return [name for name in self.predictions.columns if name not in (*FACE, "prediction")]


def read_run(reference: str, table: str, metrics: dict[str, Any]) -> StudyRun:
    """Return the run that an experiment records.

    Args:
        reference: the git reference of the experiment, refs/exps/<its commit in two parts>/<name>.
        table: path of the predictions of its test faces, which DVC has.
        metrics: the content of its metrics.json.

    Raises:
        InputError: the predictions are not in the local cache.
    """
    from dvc.api import DVCFileSystem  # slow to import
    from dvc.exceptions import DvcException

    training = git("show", f"{reference}:metrics/training.json")
    revision = git("rev-parse", reference).decode().strip()  # its name can also be that of a branch
    *_, first, rest, name = reference.split("/")
    try:
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "table.csv"
            DVCFileSystem(rev=revision).get_file(table, str(copy))
            rows = read_index(copy)
    except (DvcException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{name}: its predictions are not in the local cache ({reason}); try `dvc pull`") from None
    labels = rows.columns.drop([*FACE, "prediction"])
    rows = rows.astype(dict.fromkeys(labels, float))
    return StudyRun(rows, metrics, json.loads(training), first + rest)


def study_results(runs: list[StudyRun], averaged: bool) -> dict[str, Any]:
    """Return the metrics of a study and what is known of its runs.

    Args:
        runs: its runs, ordered by fold and seed.
        averaged: whether the study is the ensemble of the runs, and not the runs themselves.

    Returns:
        `metrics`, by name: accuracy and macro_f1 of the test faces (`test.accuracy`), of each data set where there are
        several (`test.sfew.accuracy`), of the coarse task (`test.coarse.accuracy`), of the validation faces, and, if a
        face is predicted by several runs, of their mean probabilities (`ensemble.accuracy`). Each has a `value`, 0 to
        1, over all runs; where it is of test faces and there are enough groups, its 95 % interval as `low` and `high`,
        which is about the recipe if there are several runs of a face; and the `mean` and `std` over runs if there are
        several. Further: `runs`, `faces`, `groups`, `parameters` (of all networks that predict a face), `drawn_faces`,
        `leaks` and `seen_test` (of the faces that one run tests, or of all where runs test different ones; the most of
        any run that tests them), `seconds` of training, `device`,
        `threads`, `precision`, `torch` and `commit`.

    Raises:
        InputError: the runs have other labels, or runs to be averaged predict other faces.
    """
    labels = runs[0].labels
    if any(run.labels != labels for run in runs):
        raise InputError("the runs do not have the same labels, so they cannot be put together")
    tables = [run.predictions for run in runs]
    together = ensemble(tables, labels)
    counts = pd.concat(tables)["id"].value_counts()
    if counts.nunique() > 1 or counts.size != len(together):
        raise InputError("the runs do not predict the same faces equally often, so they cannot be put together")
    repeated = int(counts.iloc[0])  # runs that predict a face
    metrics = _test_metrics("test", [together] if averaged else tables, labels)
    if not averaged:
        metrics |= _reported_metrics(runs)
        if repeated > 1:
            metrics |= _test_metrics("ensemble", [together], labels)
    return {
        "metrics": rounded(metrics),
        "runs": len(runs),
        "faces": len(together),
        "groups": together["group"].nunique(),
        "parameters": round(fmean(run.metrics["parameters"] for run in runs) * (repeated if averaged else 1)),
        "drawn_faces": any(run.metrics["drawn_faces"] for run in runs),
        **{name: count for name in ("leaks", "seen_test") if (count := _counted(name, runs))},
        "seconds": round(sum(run.training["seconds"] for run in runs), 1),
        **{name: _joined(run.training[name] for run in runs) for name in ("device", "threads", "precision", "torch")},
        "commit": _joined(run.commit for run in runs),
    }


def _counted(name: str, runs: list[StudyRun]) -> dict[str, int]:
    """Return the counts of test faces that runs report under a name: the largest of each test part, added up."""
    counts: dict[frozenset[int], dict[str, Any]] = {}
    for run in runs:
        part = frozenset(run.predictions["id"])
        none = {"faces": 0, "of": len(part)}
        counts[part] = max(counts.get(part, none), run.metrics.get(name, none), key=lambda count: count["faces"])
    total = pd.DataFrame(list(counts.values())).drop(columns="datasets", errors="ignore").fillna(0).sum()
    return total.astype(int).to_dict() if total["faces"] else {}


def _test_metrics(name: str, tables: list[pd.DataFrame], labels: list[str]) -> dict[str, dict[str, float]]:
    """Return accuracy and macro-F1 of all test faces, and of those of each data set if there are several."""
    datasets = sorted(pd.concat(tables)["dataset"].unique())
    parts = {name: tables}
    if len(datasets) > 1:
        for dataset in datasets:
            parts[f"{name}.{dataset}"] = [table[table["dataset"] == dataset] for table in tables]
    found = {}
    for part, rows in parts.items():
        overall = paired_metrics([rows], labels).of(0)
        single = [single_metrics(table, labels) for table in rows if len(table)]
        for metric in METRICS:
            interval = overall.get("interval", {}).get(metric, {})
            spread = _spread([run[metric] for run in single])
            found[f"{part}.{metric}"] = {"value": overall[metric], **interval, **spread}
    return found


def _reported_metrics(runs: list[StudyRun]) -> dict[str, dict[str, float]]:
    """Return metrics that each run reports itself, as the mean over runs."""
    found = {}
    for part, path in (("validation", ("validation",)), ("test.coarse", ("test", "coarse"))):
        rows = [_at(run.metrics, path) for run in runs]
        for metric in METRICS:
            if values := [row[metric] for row in rows if row]:
                found[f"{part}.{metric}"] = {"value": fmean(values), **_spread(values)}
    return found


def _at(metrics: dict[str, Any], path: Iterable[str]) -> dict[str, Any]:
    for key in path:
        metrics = metrics.get(key, {})
    return metrics


def _spread(values: list[float]) -> dict[str, float]:
    return {"mean": fmean(values), "std": float(np.std(values, ddof=1))} if len(values) > 1 else {}


def _joined(values: Iterable[str | int]) -> str:
    return ", ".join(dict.fromkeys(map(str, values)))
