"""The test part and the folds: no subject, film, sequence or near-duplicate is on two sides of the split.

Each data set is divided on its own, over all its faces, so that no removal and no other data set changes its division;
only where near-duplicates link units of several data sets does one follow another.
"""

from hashlib import sha256

import numpy as np
import pandas as pd

from stages.base.errors import InputError
from stages.curation.groups import groups

TEST, TRAIN, UNUSED = "test", "train", "unused"
TOLERANCE = 0.05  # largest difference between the share of a data set that is held out and `test_share`


def held_out(index: pd.DataFrame, folds: int, test_share: float, seed: int) -> pd.DataFrame:
    """Hold out a test part and divide the rest into folds.

    Official test parts are the test part of their data sets. Of each data set without one, a random part of the units
    is held out. Faces that are linked to a test face without being one are unused.

    Args:
        index: N faces with the columns dataset, label, official, unit and cluster, those included that are removed.
        folds: number of folds.
        test_share: share of faces to hold out, above 0 and at most 0.5.
        seed: seed of both divisions.

    Returns:
        The index with three more columns: group (see `groups`), split (test, train or unused) and fold (-1 outside
        train).

    Raises:
        InputError: the units of a data set are too large to hold out `test_share`, or a fold has no faces.
    """
    index = index.assign(split=TRAIN, fold=-1)
    for dataset, rows in index.groupby("dataset", sort=False):
        test = rows["official"] == "test"
        if not test.any():
            test = rows["unit"].map(_positions(rows, seed, "test")) < test_share
            if abs(test.mean() - test_share) > TOLERANCE:
                raise InputError(
                    f"{dataset}: of its {rows['unit'].nunique()} groups of subjects or films, those nearest to "
                    f"split.test_share ({test_share}) hold {test.mean():.3f} of the faces; choose another "
                    "split.test_share"
                )
        index.loc[rows.index[test], "split"] = TEST
        rest = rows[~rows["unit"].isin(rows.loc[test, "unit"])]
        index.loc[rest.index, "fold"] = _folds(rest, folds, seed)
    index = _join_linked(index)
    with_test = index["group"].isin(index.loc[index["split"] == TEST, "group"])
    index.loc[with_test & (index["split"] != TEST), "split"] = UNUSED
    return _check_folds(index.assign(fold=index["fold"].mask(with_test, -1)), folds)


def cross_validation(index: pd.DataFrame, folds: int, seed: int) -> pd.DataFrame:
    """Divide all faces, those of official test parts too, into folds.

    With as many folds as units, each fold is one unit: leave-one-subject-out. Arguments, columns and errors are those
    of `held_out`; `split` is train for every face.
    """
    index = index.assign(split=TRAIN, fold=-1)
    for _, rows in index.groupby("dataset", sort=False):
        index.loc[rows.index, "fold"] = _folds(rows, folds, seed)
    return _check_folds(_join_linked(index), folds)


def _positions(rows: pd.DataFrame, seed: int, purpose: str) -> pd.Series:
    """Put the units of one data set in a random order in which each label is spread evenly.

    This is systematic sampling with a random start in each stratum (W. G. Cochran, Sampling Techniques, 1977, chapter
    8). A unit belongs to the stratum of its rarest label. The units of a stratum are in random order at equal distances
    on a circle, and each stratum is turned by a random angle; so every unit is equally likely to be anywhere, and every
    part of the circle has its share of every stratum. The random numbers are hashes of names, so that they depend on
    no other unit and on no version of a library.

    Args:
        rows: the data set's faces, with the columns dataset, label and unit.
        seed: seed of the order.
        purpose: a name; orders of different purposes are independent.

    Returns:
        Unit → the middle of its faces in this order, as a share of all faces, above 0 and below 1; ascending.
    """
    frequency = rows["label"].map(rows["label"].value_counts())
    by_frequency = rows.assign(frequency=frequency).sort_values(["frequency", "label"])
    order = by_frequency.groupby("unit").agg(stratum=("label", "first"), faces=("label", "size"))
    order = order.iloc[np.argsort([_random(seed, purpose, unit) for unit in order.index], kind="stable")]
    turn = {stratum: _random(seed, purpose, rows["dataset"].iloc[0], stratum) for stratum in order["stratum"].unique()}
    place = (order.groupby("stratum")["faces"].transform(_middles) + order["stratum"].map(turn)) % 1
    return _middles(order["faces"].iloc[np.argsort(place, kind="stable")])


def _middles(sizes: pd.Series) -> pd.Series:
    """Return the middle of each item in a row of items with these sizes, as a share of the length of the row."""
    return (sizes.cumsum() - sizes / 2) / sizes.sum()


def _random(*key: object) -> float:
    """Return a number from 0 to 1 that is random, and always the same for the same key."""
    return int.from_bytes(sha256("/".join(map(str, key)).encode()).digest()[:8], "big") / 2**64


def _folds(rows: pd.DataFrame, folds: int, seed: int) -> pd.Series:
    """Return the fold of each face of one data set, 0 to folds - 1; none is empty if there are enough units."""
    position = _positions(rows, seed, "fold")
    fold, number = np.floor(position.to_numpy() * folds).astype(np.int64), np.arange(len(position))
    # A large unit can fill several folds: the units before and after it then move into the folds that have none.
    if len(position) >= folds:
        fold = number + np.minimum.accumulate(np.minimum(fold - number, 0))
        fold = number + np.maximum.accumulate(np.maximum(fold - number, folds - len(number))[::-1])[::-1]
    return rows["unit"].map(pd.Series(fold, index=position.index))


def _join_linked(index: pd.DataFrame) -> pd.DataFrame:
    """Add the column group, and give all units of a group the fold of its largest one, or of equal ones the first."""
    index = index.assign(group=groups(index))
    sizes = index.groupby(["group", "unit"]).agg(faces=("fold", "size"), fold=("fold", "max")).reset_index()
    largest = sizes.sort_values(["faces", "unit"], ascending=[False, True]).groupby("group")["fold"].first()
    return index.assign(fold=index["group"].map(largest))


def _check_folds(index: pd.DataFrame, folds: int) -> pd.DataFrame:
    if empty := set(range(folds)) - set(index["fold"]):
        rows = index[index["split"] == TRAIN]
        names = ", ".join(index["dataset"].unique())
        raise InputError(
            f"{names}: {rows['group'].nunique()} groups of subjects or films leave fold {min(empty)} of {folds} "
            "without faces; lower split.folds or split.test_share"
        )
    return index
