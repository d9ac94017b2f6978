"""The results of the benchmark's runs: predictions, configurations, and how long they trained."""

from itertools import product
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from stages.base.errors import InputError
from stages.base.files import read_json
from stages.base.paths import RunPaths
from stages.base.section import Record
from stages.base.tables import read_table
from stages.faces.subsets import subsets
from stages.models.config import read_config
from stages.params.benchmark import Benchmark

FACE = ["id", "dataset", "file", "label", "group"]  # the columns that describe a face
COMMAND = "run `python -m stages.benchmark.run`"


class Progress(Record):
    """DVCLive's summary of a training."""

    step: int  # the last epoch, from 0


def predictions(
    subset: Literal["out_of_fold", "test"], model: str, benchmark: Benchmark, index: pd.DataFrame, labels: list[str]
) -> list[pd.DataFrame]:
    """Return what a model of each fold and seed predicts for its out-of-fold or its test faces.

    Args:
        subset: which of the two.
        model: name of the model.
        benchmark: the folds and seeds.
        index: the index that split wrote.
        labels: the labels of the models, in order.

    Returns:
        One table per run, with one row per face, sorted by id, and the columns `FACE`, prediction, and the probability
        of each label, 0 to 1. The faces are the same for every model.

    Raises:
        InputError: a run is missing, or its faces or labels are not the current ones.
    """
    tables = []
    for fold, seed in product(benchmark.folds, benchmark.seeds):
        faces = getattr(subsets(index, fold, ranked=True), subset)
        path = existing(RunPaths.benchmark(model, fold, seed).predictions / f"{subset}.csv", model)
        columns = {"id": int, **dict.fromkeys(labels, float)}
        rows = read_table(path, columns, required=["id"]).sort_values("id", ignore_index=True)
        right_columns = list(rows.columns) == [*FACE, "prediction", *labels]
        if not right_columns or not rows[FACE].equals(faces[FACE].reset_index(drop=True)):
            raise InputError(f"{path}: its faces or labels are not the current {subset} faces and labels; {COMMAND}")
        tables.append(rows)
    return tables


def ensemble(tables: list[pd.DataFrame], labels: list[str]) -> pd.DataFrame:
    """Return the mean probabilities of all models that predicted a face: one row per face, columns of `predictions`.

    The group of a face is that in the first table with it: groups have other numbers where faces have another size.
    """
    keys = [column for column in FACE if column != "group"]
    rows = pd.concat(tables).groupby(keys, as_index=False).agg({"group": "first", **dict.fromkeys(labels, "mean")})
    return rows.assign(prediction=rows[labels].idxmax(axis=1))


def configurations(model: str, benchmark: Benchmark) -> list[dict[str, Any]]:
    """Return the config.json of the model of each run; raise InputError if one is missing."""
    runs = product(benchmark.folds, benchmark.seeds)
    paths = [RunPaths.benchmark(model, fold, seed).model / "config.json" for fold, seed in runs]
    return [read_config(existing(path, model)) for path in paths]


def trained_images(model: str, benchmark: Benchmark, index: pd.DataFrame, copies: pd.DataFrame) -> list[int]:
    """Return how many images each run was trained on, summed over its epochs; raise InputError if a run is missing.

    Args:
        model: name of the model.
        benchmark: the folds and seeds.
        index: the index that split wrote.
        copies: the index of the augmented copies.
    """
    counts = []
    runs = product(benchmark.folds, benchmark.seeds)
    for (fold, seed), config in zip(runs, configurations(model, benchmark), strict=True):
        path = existing(RunPaths.benchmark(model, fold, seed).curves / "metrics.json", model)
        epochs = read_json(path, Progress)["step"] + 1
        train = subsets(index, fold, validation_folds=config["validation_folds"], ranked=True).train
        counts.append(epochs * (len(train) + int(copies["parent"].isin(train["id"]).sum())))
    return counts


def leaked(model: str, benchmark: Benchmark, index: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count the out-of-fold and the test faces whose group is trained on by a run that predicts them.

    Args:
        model: name of a model; the faces are the same for every model.
        benchmark: the folds and seeds.
        index: the index that split wrote.

    Returns:
        For `out_of_fold` and `test` the counts of `leaks`; empty if there is no such face.
    """
    validation_folds = configurations(model, benchmark)[0]["validation_folds"]
    chosen = [subsets(index, fold, validation_folds=validation_folds, ranked=True) for fold in benchmark.folds]
    counts = {}
    for name in ("out_of_fold", "test"):
        seen = [
            (faces := getattr(run, name))["group"].isin(run.train["group"]).groupby(faces["id"]).any() for run in chosen
        ]
        by_face = pd.concat(seen).groupby(level=0).any()
        counts[name] = {"faces": int(by_face.sum()), "of": len(by_face)}
    return counts if any(count["faces"] for count in counts.values()) else {}


def existing(path: Path, model: str) -> Path:
    """Return `path`, which the benchmark writes for a model; raise InputError if it does not exist."""
    if not path.exists():
        raise InputError(f"{path}: not found; {COMMAND}, with {model} in benchmark.models")
    return path
