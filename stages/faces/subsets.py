"""Training, validation, test and out-of-fold faces of one run."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from stages.base.errors import InputError

LEAK = "test faces have a training face of the same subject, sequence or near-duplicate"


@dataclass(frozen=True)
class Subsets:
    """The faces of one run, as rows of the index.

    Attributes:
        train: faces to train on.
        validation: faces that choose the epoch and fit the temperature.
        test: faces for the final evaluation.
        out_of_fold: faces by which models are ranked; they choose nothing in the run.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    out_of_fold: pd.DataFrame


def subsets(
    index: pd.DataFrame, fold: int, dataset: str | None = None, validation_folds: int = 1, ranked: bool = False
) -> Subsets:
    """Return the training, validation, test and out-of-fold faces of one run.

    Folds are counted from `fold` on; after the last one comes the first. The faces that are not named are trained on:

    - held_out (the index has a test part): the first `validation_folds` folds validate, and no face is out of fold. If
      `ranked`, `fold` itself is out of fold, and the `validation_folds` folds after it validate.
    - cross_validation: `fold` is the test fold, its faces are also the out-of-fold faces, and the `validation_folds`
      folds after it validate.

    Faces that were excluded by hand are in no subset but the test faces of cross_validation.

    Args:
        index: the index that the stage `split` writes, with the columns dataset, label, split and fold.
        fold: number of the fold, from 0.
        dataset: a data set as named in params.yaml. If given, only its faces are used for training and validation,
            and validation and test faces with a label that the training faces do not have are left out.
        validation_folds: number of folds that validate.
        ranked: whether the run is one of a benchmark, which ranks models by out-of-fold faces.
    """
    pool, test = index[index["split"] == "train"], index[index["split"] == "test"]
    crossed = test.empty
    if crossed:
        test = index[index["fold"] == fold]
    if dataset:
        pool = pool[pool["dataset"].str.removeprefix("drawn-") == dataset]
    position = (pool["fold"] - fold) % (index["fold"].max() + 1)
    first = 1 if crossed or ranked else 0  # position of the first validation fold
    train = pool[position >= first + validation_folds]
    validation = pool[(position >= first) & (position < first + validation_folds)]
    out_of_fold = test if crossed else pool[position < first]
    if dataset:
        validation, test, out_of_fold = (
            rows[rows["label"].isin(train["label"])] for rows in (validation, test, out_of_fold)
        )
    return Subsets(train, validation, test, out_of_fold)


def subsets_of(config: dict[str, Any], index: pd.DataFrame, *needed: str) -> Subsets:
    """Return the faces of the run that trained a model.

    Args:
        config: the model's config.
        index: the index that the stage `split` writes.
        *needed: names of subsets that must have faces.

    Raises:
        InputError: a subset that is needed has none.
    """
    chosen = subsets(index, **{name: config[name] for name in ("fold", "dataset", "validation_folds", "ranked")})
    if empty := [name for name in needed if getattr(chosen, name).empty]:
        raise InputError(f"there is no {empty[0]} face; change `split` in params.yaml")
    return chosen


def leaks(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, int] | None:
    """Count the test faces whose group is also trained on.

    Args:
        train: the training faces, with the column group.
        test: the test faces, with the column group.

    Returns:
        `faces`, the number of such test faces, and `of`, the number of all; None if there is no such face, as in every
        split by groups.
    """
    faces = int(test["group"].isin(train["group"]).sum())
    return {"faces": faces, "of": len(test)} if faces else None
