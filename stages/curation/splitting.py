"""The test part and the folds: no subject, film, sequence or near-duplicate is on two sides of the split."""

import warnings

import numpy as np
import pandas as pd

from stages.base.errors import InputError
from stages.curation.near_duplicates import components

TEST, TRAIN, UNUSED = "test", "train", "unused"


def groups(index: pd.DataFrame) -> np.ndarray:
    """Return the group of each face; faces of one group must stay on one side of a split.

    Faces are linked if they share a subject, a sequence or a cluster of near-duplicates. A group contains all faces
    that are linked directly or through other faces.

    Args:
        index: N faces with the columns dataset, subject, sequence and cluster. Subjects and sequences are named within
            their data set; "" links nothing.

    Returns:
        int, N, from 0.
    """
    face = np.arange(len(index))
    pairs = []
    for key in ("subject", "sequence", "cluster"):
        named = (index[key] != "").to_numpy()
        scope = index["dataset"] if key != "cluster" else ""
        codes = pd.factorize(scope + "/" + index[key])[0]
        first = pd.Series(face).groupby(codes).transform("first").to_numpy()
        pairs.append(np.stack([face[named], first[named]], axis=1))
    return components(len(index), np.concatenate(pairs))


def held_out(index: pd.DataFrame, folds: int, test_share: float, seed: int) -> pd.DataFrame:
    """Hold out a test part and divide the rest into folds.

    Official test parts go into the test part. Of each data set without one, one in round(1 / `test_share`) faces goes
    there, by group. A face in the group of an official test face that is not one itself is unused. Both divisions are
    stratified by data set and label (StratifiedGroupKFold).

    Args:
        index: N faces with the columns dataset, label, official and those of `groups`.
        folds: number of folds.
        test_share: share of faces to hold out, above 0 and at most 0.5.
        seed: seed of both divisions.

    Returns:
        The index with three more columns: group, split (test, train or unused) and fold (-1 outside train).

    Raises:
        InputError: if there are fewer groups than folds.
    """
    index = index.assign(group=groups(index), split=TRAIN, fold=-1)
    official = index["official"] == "test"
    index.loc[index["group"].isin(index.loc[official, "group"]), "split"] = UNUSED
    index.loc[official, "split"] = TEST

    # A group with faces of a data set that has an official test part is not held out: that test part is fixed.
    with_test_part = index["dataset"].isin(index.loc[official, "dataset"])
    free = index[~index["group"].isin(index.loc[with_test_part, "group"])]
    if len(free):
        index.loc[free.index[_assign_folds(free, round(1 / test_share), seed) == 0], "split"] = TEST

    rest = index["split"] == TRAIN
    index.loc[rest, "fold"] = _assign_folds(index[rest], folds, seed)
    return index


def cross_validation(index: pd.DataFrame, folds: int, seed: int) -> pd.DataFrame:
    """Divide all faces, those of official test parts too, into folds.

    With as many folds as groups, each fold is one group: leave-one-subject-out. Arguments, columns and errors are those
    of `held_out`; `split` is train for every face.
    """
    index = index.assign(group=groups(index), split=TRAIN)
    return index.assign(fold=_assign_folds(index, folds, seed))


def _assign_folds(rows: pd.DataFrame, folds: int, seed: int) -> np.ndarray:
    """Return the fold of each row, 0 to folds - 1."""
    present = rows["group"].nunique()
    if present == folds:
        return np.random.default_rng(seed).permutation(folds)[pd.factorize(rows["group"])[0]]
    if present < folds:
        names = ", ".join(rows["dataset"].unique())
        raise InputError(
            f"{names}: {folds} folds need at least {folds} groups of subjects or films, not {present}; "
            "lower split.folds, or raise split.test_share"
        )
    from sklearn.model_selection import StratifiedGroupKFold  # slow to import

    strata = rows["dataset"] + "/" + rows["label"]
    fold = np.empty(len(rows), dtype=np.int64)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A rare label of a small data set has fewer faces than there are folds; some folds then go without it.
        warnings.filterwarnings("ignore", "The least populated class in y has only", UserWarning)
        for number, (_, members) in enumerate(splitter.split(rows, strata, rows["group"])):
            fold[members] = number
    return fold
