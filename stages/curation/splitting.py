"""The test part and the folds, with no subject, film, sequence or near-duplicate on two sides."""

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from stages.base.errors import InputError
from stages.curation.near_duplicates import components

TEST, TRAIN, UNUSED = "test", "train", "unused"


def groups(index: pd.DataFrame) -> np.ndarray:
    """Which faces belong together, N, int: linked by subject, sequence or cluster of near-duplicates, however far.

    The index has the columns dataset, subject, sequence and cluster; the first two are of one data set.
    """
    face = np.arange(len(index))
    pairs = []
    for key in ("subject", "sequence", "cluster"):
        named = (index[key] != "").to_numpy()
        within = index["dataset"] if key != "cluster" else ""
        codes = pd.factorize(within + "/" + index[key])[0]
        first = pd.Series(face).groupby(codes).transform("first").to_numpy()
        pairs.append(np.stack([face[named], first[named]], axis=1))
    return components(len(index), np.concatenate(pairs))


def held_out(index: pd.DataFrame, folds: int, test_share: float, seed: int) -> pd.DataFrame:
    """The index with three columns more: `group`, `split` (test, train or unused) and `fold` (-1 outside train).

    Official test parts are the test part; data sets without one give one part in round(1 / `test_share`) of their
    faces, by group. What is linked to an official test face without being one is unused. The rest is dealt into
    `folds` folds. Both deals are stratified by data set and label (StratifiedGroupKFold).

    Raises InputError where the groups are too few for the folds.
    """
    index = index.assign(group=groups(index), split=TRAIN, fold=-1)
    official = index["official"] == "test"
    index.loc[index["group"].isin(index.loc[official, "group"]), "split"] = UNUSED
    index.loc[official, "split"] = TEST

    # A group that reaches into a data set with an official test part stays out of this: that part is fixed.
    with_test_part = index["dataset"].isin(index.loc[official, "dataset"])
    free = index[~index["group"].isin(index.loc[with_test_part, "group"])]
    if len(free):
        index.loc[free.index[_deal(free, round(1 / test_share), seed) == 0], "split"] = TEST

    rest = index["split"] == TRAIN
    index.loc[rest, "fold"] = _deal(index[rest], folds, seed)
    return index


def cross_validation(index: pd.DataFrame, folds: int, seed: int) -> pd.DataFrame:
    """The index with the same columns, and every face, of official test parts too, in one of the folds.

    With as many folds as groups a fold is a group: leave one subject out. Raises InputError as `held_out` does.
    """
    index = index.assign(group=groups(index), split=TRAIN)
    return index.assign(fold=_deal(index, folds, seed))


def _deal(rows: pd.DataFrame, folds: int, seed: int) -> np.ndarray:
    """The fold of each row, 0 to folds - 1."""
    present = rows["group"].nunique()
    if present == folds:
        return np.random.default_rng(seed).permutation(folds)[pd.factorize(rows["group"])[0]]
    if present < folds:
        names = ", ".join(rows["dataset"].unique())
        raise InputError(
            f"{names}: {present} groups of subjects or films cannot be dealt into {folds} folds; "
            "lower split.folds, or raise split.test_share"
        )
    strata = rows["dataset"] + "/" + rows["label"]
    fold = np.empty(len(rows), dtype=np.int64)
    dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for number, (_, members) in enumerate(dealer.split(rows, strata, rows["group"])):
        fold[members] = number
    return fold
