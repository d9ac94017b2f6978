"""The runs of the benchmark: what its models are, and what they said of faces, of those that there are today."""

import json
from itertools import product
from pathlib import Path
from typing import Literal

import pandas as pd

from stages.base.errors import InputError
from stages.base.params import Benchmark
from stages.base.paths import RunPaths
from stages.faces.subsets import subsets
from stages.faces.table import read_index

KNOWN = ["id", "dataset", "file", "label", "group"]  # of a face, before a model sees it
AGAIN = "`dvc repro stages/benchmark/dvc.yaml` writes it"


def said(
    part: Literal["validation", "test"], model: str, chosen: Benchmark, index: pd.DataFrame, labels: list[str]
) -> list[pd.DataFrame]:
    """What the model of each chosen fold and seed says of its validation fold, or of its test part.

    A table a run, with a row a face, by id: `KNOWN`, prediction, and the labels' probabilities. The faces are the same
    for every model. `index` is that of the split. Raises InputError where a run is not there, or is of other faces or
    labels than those of today.
    """
    tables = []
    for fold, seed in product(chosen.folds, chosen.seeds):
        faces = getattr(subsets(index, fold), part)
        path = written(RunPaths.benchmark(model, fold, seed).predictions / f"{part}.csv", model)
        rows = read_index(path).sort_values("id", ignore_index=True)
        fits = list(rows.columns) == [*KNOWN, "prediction", *labels]
        if not fits or not rows[KNOWN].equals(faces[KNOWN].reset_index(drop=True)):
            raise InputError(f"{path}: not of today's {part} faces and labels; {AGAIN} again")
        tables.append(rows.astype(dict.fromkeys(labels, float)))
    return tables


def together(tables: list[pd.DataFrame], labels: list[str]) -> pd.DataFrame:
    """The mean probabilities of all models that looked at a face: a row a face, with the columns of `said`."""
    rows = pd.concat(tables).groupby(KNOWN, as_index=False)[labels].mean()
    return rows.assign(prediction=rows[labels].idxmax(axis=1))


def configs(model: str, chosen: Benchmark) -> list[dict]:
    """The config of every chosen run's model; InputError where one is not there."""
    paths = [
        RunPaths.benchmark(model, fold, seed).model / "config.json" for fold, seed in product(chosen.folds, chosen.seeds)
    ]
    return [json.loads(written(path, model).read_text(encoding="utf-8")) for path in paths]


def shown(model: str, chosen: Benchmark, index: pd.DataFrame, copies: pd.DataFrame) -> list[int]:
    """How many faces each chosen run learned from, counted anew in every epoch that it went through.

    `index` is that of the split, `copies` that of the distorted copies. InputError where the run is not there.
    """
    counts = []
    for fold, seed in product(chosen.folds, chosen.seeds):
        path = written(RunPaths.benchmark(model, fold, seed).curves / "metrics.json", model)
        epochs = json.loads(path.read_text(encoding="utf-8"))["step"] + 1
        train = subsets(index, fold).train
        counts.append(epochs * (len(train) + int(copies["parent"].isin(train["id"]).sum())))
    return counts


def written(path: Path, model: str) -> Path:
    """`path`, which the benchmark writes for a model; InputError where it has not."""
    if not path.exists():
        raise InputError(f"{path}: not found; {AGAIN} if {model} is among benchmark.models")
    return path
