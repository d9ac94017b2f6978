"""Training, validation and test faces of one run."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Subsets:
    """The faces of one run, as rows of the index.

    Attributes:
        train: faces to train on.
        validation: faces for early stopping and all other choices.
        test: faces for the final evaluation.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame


def subsets(index: pd.DataFrame, fold: int, dataset: str | None = None) -> Subsets:
    """Return the training, validation and test faces of one run.

    If the index has a test part, `fold` is the validation fold, and the other folds are the training faces. Otherwise
    (cross-validation) `fold` is the test fold, the next fold (after the last one: the first) is the validation fold,
    and the remaining folds are the training faces, so that test faces influence no choice.

    Args:
        index: the index that the stage `split` writes, with the columns dataset, label, split and fold.
        fold: number of the fold, from 0.
        dataset: a data set as named in params.yaml. If given, only its faces are used for training and validation,
            and validation and test faces with a label that the training faces do not have are left out.
    """
    pool, test = index[index["split"] == "train"], index[index["split"] == "test"]
    if test.empty:
        test, pool = pool[pool["fold"] == fold], pool[pool["fold"] != fold]
        fold = (fold + 1) % (index["fold"].max() + 1)
    if dataset:
        pool = pool[pool["dataset"].str.removeprefix("drawn-") == dataset]
    train, validation = pool[pool["fold"] != fold], pool[pool["fold"] == fold]
    if dataset:
        validation, test = (rows[rows["label"].isin(train["label"])] for rows in (validation, test))
    return Subsets(train, validation, test)
