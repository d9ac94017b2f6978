"""Which faces a run is trained on, judged by while it trains, and tested on."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Subsets:
    """Rows of the split's index: those of the training part, of the validation fold, and of the test part."""

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame


def subsets(index: pd.DataFrame, fold: int, dataset: str | None = None) -> Subsets:
    """The parts of a run by the columns `split` and `fold` of the index.

    Where there is a test part, `fold` is the validation fold and the rest of the training part is trained on. Where
    there is none (cross-validation) the folds take turns: `fold` is the test part, the next one, after the last the
    first, is the validation fold, and the others are trained on, so that no choice is made by a test face.

    With `dataset`, as params.yaml names it, no face of another data set is trained on or validates; of all parts, the
    faces of a label that it does not teach are left out.
    """
    pool, test = index[index["split"] == "train"], index[index["split"] == "test"]
    if test.empty:
        test, pool = pool[pool["fold"] == fold], pool[pool["fold"] != fold]
        fold = (fold + 1) % (index["fold"].max() + 1)
    if dataset:
        pool = pool[pool["dataset"].str.removeprefix("drawn-") == dataset]
    train, validation = pool[pool["fold"] != fold], pool[pool["fold"] == fold]
    if dataset:
        validation, test = (part[part["label"].isin(train["label"])] for part in (validation, test))
    return Subsets(train, validation, test)
