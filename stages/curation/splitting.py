"""The test part and the folds: no subject, film, sequence or near-duplicate is on two sides of the split.

Each data set is divided on its own, over all its faces, so that neither a removed face nor another data set changes its
division; only units that near-duplicates link with units of other data sets depend on them.
"""

from hashlib import sha256

import numpy as np
import pandas as pd

from stages.base.errors import InputError
from stages.curation.groups import groups

TEST, TRAIN, UNUSED, REMOVED = "test", "train", "unused", "removed"
TOLERANCE = 0.05  # largest difference between the share of a data set that is held out and `test_share`
ATTEMPTS = 20  # divisions into folds, of which the one with the most even labels is taken


def held_out(index: pd.DataFrame, folds: int, test_share: float, seed: int) -> pd.DataFrame:
    """Hold out a test part and divide the rest into folds.

    Official test parts are the test part of their data sets. Of each data set without one, a random part of the units
    is held out, each unit with about the probability `test_share`. Faces that are linked to a test face without being
    one are unused.

    Args:
        index: N faces, removed ones too, with the columns dataset, label, official, unit and cluster.
        folds: number of folds.
        test_share: share of faces to hold out, above 0 and at most 0.5.
        seed: seed of both divisions.

    Returns:
        The index with three more columns: group (see `groups`), split (test, train or unused) and fold (-1 outside
        train).

    Raises:
        InputError: the units of a data set are too few to hold out `test_share`, or a fold has no faces.
    """
    index = index.assign(split=TRAIN, fold=-1)
    for dataset, rows in index.groupby("dataset", sort=False):
        test = rows["official"] == "test"
        if not test.any():
            test = rows["unit"].map(_positions(_label_counts(rows), f"{seed}/{dataset}/test")) < test_share
            if not test.any() or abs(test.mean() - test_share) > TOLERANCE:
                raise InputError(
                    f"{dataset}: with {rows['unit'].nunique()} groups of subjects or films, {test.mean():.3f} of the "
                    f"faces would be held out and not {test_share}; choose another split.test_share or split.seed"
                )
        index.loc[rows.index[test], "split"] = TEST
        rest = rows[~rows["unit"].isin(rows.loc[test, "unit"])]
        if len(rest):
            index.loc[rest.index, "fold"] = _folds(rest, folds, f"{seed}/{dataset}/fold")
    index = _join_linked(index)
    index.loc[index["split"] == TEST, "fold"] = -1
    index = _without_linked(index, index["split"] == TEST)
    _check_folds(index, folds)
    return index


def official(index: pd.DataFrame, folds: int, seed: int) -> pd.DataFrame:
    """Take the official parts: the test part is tested, the validation part is fold 0, the training part is the rest.

    The training part of a data set without an official validation part is divided into all folds. Faces that are linked
    to a test face, or to a face of an official validation part, without being one are unused. Arguments and columns are
    those of `held_out`.

    Raises:
        InputError: a data set has no official test part, or a fold has no faces.
    """
    index = index.assign(split=TRAIN, fold=-1)
    for dataset, rows in index.groupby("dataset", sort=False):
        test, validation = rows["official"] == "test", rows["official"] == "val"
        if not test.any():
            raise InputError(
                f"{dataset}: has no official test part, which split.protocol official needs; choose held_out or "
                "cross_validation"
            )
        index.loc[rows.index[test], "split"] = TEST
        rest = rows[~rows["unit"].isin(rows.loc[test, "unit"])]
        train = rest[~rest["unit"].isin(rows.loc[validation, "unit"])]
        index.loc[rest.index, "fold"] = 0
        if len(train):
            first = 1 if len(train) < len(rest) else 0
            index.loc[train.index, "fold"] = first + _folds(train, folds - first, f"{seed}/{dataset}/fold")
    index = _join_linked(index)
    index.loc[index["split"] == TEST, "fold"] = -1
    index = _without_linked(index, index["split"] == TEST)
    validation = (index["split"] == TRAIN) & (index["official"] == "val")
    index.loc[validation, "fold"] = 0
    index = _without_linked(index, validation)
    _check_folds(index, folds)
    return index


def other_data(index: pd.DataFrame, tested: str, folds: int, seed: int) -> pd.DataFrame:
    """Test all faces of one data set, and divide those of the others into folds.

    Faces of the others' official test parts, and faces that are linked to a test face, are unused. Further arguments,
    columns and errors are those of `held_out`.

    Args:
        index: as of `held_out`.
        tested: the data set, as params.yaml names it.
        folds: number of folds.
        seed: seed of the division.
    """
    test = index["dataset"].str.removeprefix("drawn-") == tested
    rest = ~test & (index["official"] != "test")
    index = index.assign(split=np.select([test, rest], [TEST, TRAIN], UNUSED), fold=-1)
    for dataset, rows in index[rest].groupby("dataset", sort=False):
        index.loc[rows.index, "fold"] = _folds(rows, folds, f"{seed}/{dataset}/fold")
    index = _join_linked(index)
    index.loc[~rest, "fold"] = -1
    index = _without_linked(index, index["split"] == TEST)
    _check_folds(index, folds)
    return index


def cross_validation(index: pd.DataFrame, folds: int, seed: int) -> pd.DataFrame:
    """Divide all faces, those of official test parts too, into folds.

    With as many folds as units, each fold is one unit: leave-one-subject-out. Arguments, columns and errors are those
    of `held_out`; `split` is train for every face.
    """
    index = index.assign(split=TRAIN, fold=-1)
    for dataset, rows in index.groupby("dataset", sort=False):
        index.loc[rows.index, "fold"] = _folds(rows, folds, f"{seed}/{dataset}/fold")
    index = _join_linked(index)
    _check_folds(index, folds)
    return index


def _label_counts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the number of faces of each unit (rows) and label (columns, the rarest first)."""
    counts = rows.groupby(["unit", "label"]).size().unstack(fill_value=0)
    return counts[counts.sum().sort_values(kind="stable").index]


def _positions(counts: pd.DataFrame, key: str) -> pd.Series:
    """Put units in a random order in which the labels are spread evenly.

    This is stratified systematic sampling with a random start in each stratum (W. G. Cochran, Sampling Techniques,
    1977, chapter 8). The stratum of a unit is its rarest label. The units of a stratum lie in random order around a
    circle, each on an arc as long as its share of the stratum's faces, and the circle is turned by a random angle. So
    every unit can be anywhere, and every arc has its share of every stratum.

    Args:
        counts: what `_label_counts` returns.
        key: seed of the order.

    Returns:
        Unit → the middle of its faces in this order, as a share of all faces, above 0 and below 1; ascending.
    """
    sizes, stratum = counts.to_numpy().sum(axis=1), (counts.to_numpy() > 0).argmax(axis=1)
    order = np.argsort([_random(key, unit) for unit in counts.index])
    place = np.empty(len(counts))
    for number, label in enumerate(counts):
        members = order[stratum[order] == number]
        place[members] = (_middles(sizes[members]) + _random(key, label)) % 1
    order = np.argsort(place, kind="stable")
    return pd.Series(_middles(sizes[order]), index=counts.index[order])


def _middles(sizes: np.ndarray) -> np.ndarray:
    """Return the middle of each of the parts with these sizes, in a row, as a share of the whole."""
    return (sizes.cumsum() - sizes / 2) / sizes.sum()


def _random(key: str, name: str) -> float:
    """Return a random number from 0 to 1 that depends on nothing else, not even on the version of a library."""
    return int.from_bytes(sha256(f"{key}/{name}".encode()).digest()[:8], "big") / 2**64


def _folds(rows: pd.DataFrame, folds: int, key: str) -> pd.Series:
    """Return the fold of each face of one data set, 0 to folds - 1; none is empty if there are enough units."""
    counts = _label_counts(rows)

    def divide(attempt: int) -> pd.Series:
        position = _positions(counts, f"{key}/{attempt}")
        fold, number = np.floor(position.to_numpy() * folds).astype(np.int64), np.arange(len(position))
        if len(position) >= folds:  # a large unit can cover a whole fold, which then takes the unit before or after it
            fold = number + np.minimum.accumulate(np.minimum(fold - number, 0))
            fold = number + np.maximum.accumulate(np.maximum(fold - number, folds - len(fold))[::-1])[::-1]
        return pd.Series(fold, index=position.index)

    def unevenness(fold: pd.Series) -> float:
        shares = counts.groupby(fold).sum() / counts.sum()
        return round(float((shares**2).to_numpy().sum()), 9)  # rounded, so that every machine finds the same ties

    return rows["unit"].map(min(map(divide, range(ATTEMPTS)), key=unevenness))


def _join_linked(index: pd.DataFrame) -> pd.DataFrame:
    """Add the column group, and give all units of a group the fold of its largest unit that has one.

    Of equal units it is the first. A group without a fold keeps -1.
    """
    index = index.assign(group=groups(index))
    linked = index.groupby(["group", "unit"]).agg(faces=("fold", "size"), fold=("fold", "max")).reset_index()
    divided = linked[linked["fold"] >= 0]
    largest = divided.sort_values(["faces", "unit"], ascending=[False, True]).groupby("group")["fold"].first()
    return index.assign(fold=index["group"].map(largest).fillna(-1).astype(np.int64))


def _without_linked(index: pd.DataFrame, faces: pd.Series) -> pd.DataFrame:
    """Make every face unused that is in a group with some of `faces` without being one of them."""
    linked = index["group"].isin(index.loc[faces, "group"]) & ~faces
    return index.assign(split=index["split"].mask(linked, UNUSED), fold=index["fold"].mask(linked, -1))


def _check_folds(index: pd.DataFrame, folds: int) -> None:
    """Refuse a split in which a fold is empty."""
    if empty := set(range(folds)) - set(index["fold"]):
        units = index[index["split"] == TRAIN].groupby("dataset", sort=False)["unit"].nunique()
        raise InputError(
            f"{', '.join(index['dataset'].unique())}: fold {min(empty)} of {folds} would be empty, because at most "
            f"{units.max() if len(units) else 0} groups of subjects or films of one data set are left for the folds; "
            "lower split.folds or split.test_share"
        )
