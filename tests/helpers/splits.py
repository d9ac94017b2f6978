"""Indexes to split, and links between faces that are on two sides of a split."""

import numpy as np
import pandas as pd

from stages.curation.groups import units
from stages.datasets.readers.ck48 import PUBLISHED as CK48
from stages.datasets.readers.jaffe import PUBLISHED as JAFFE

WOMEN = ("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM")


def add_units(index: pd.DataFrame) -> pd.DataFrame:
    """Add the column unit, as `clean` does, to an index with clusters."""
    position = pd.Series(np.arange(len(index)), index=index.index)
    first = position.groupby(index["cluster"]).transform("first")
    return index.assign(unit=units(index, np.stack([position, first], axis=1)))


def like_ck48() -> pd.DataFrame:
    """Return an index like that of CK+48: 309 sequences of three frames by 112 subjects, at most one of each label."""
    rng = np.random.default_rng(0)
    zeal = rng.uniform(0.2, 1, 118)
    rows = [
        ("ck48", f"{label}/S{subject:03}_{frame}.png", label, f"S{subject:03}", f"S{subject:03}_{label}")
        for label, count in CK48[""].items()
        if label != "contempt"
        for subject in rng.choice(118, count // 3, replace=False, p=zeal / zeal.sum())
        for frame in range(3)
    ]
    return _complete(rows)


def like_jaffe() -> pd.DataFrame:
    """Return an index like that of JAFFE: 213 photographs of ten women, about three of each label."""
    rows = [
        ("jaffe", f"{WOMEN[take % 10]}.{label}{take}.tiff", label, WOMEN[take % 10], f"{WOMEN[take % 10]}.{label}")
        for label, count in JAFFE[""].items()
        for take in range(count)
    ]
    return _complete(rows)


def _complete(rows: list[tuple[str, ...]]) -> pd.DataFrame:
    """Return an index of these faces without official parts and without near-duplicates."""
    index = pd.DataFrame(rows, columns=["dataset", "file", "label", "subject", "sequence"])
    return add_units(index.assign(official="", cluster=index["dataset"] + "/" + index["file"]))


def split_links(index: pd.DataFrame) -> dict[str, int]:
    """Return, for each kind of link, how many subjects, sequences (or films) or clusters are on more than one side.

    The sides are the test part and the folds; faces that are unused or excluded are on none.
    """
    index = index[(index["split"] == "test") | (index["fold"] >= 0)]
    counts = {}
    for key in ("subject", "sequence", "cluster"):
        named = index[key] != ""
        scope = index["dataset"] if key != "cluster" else ""
        counts[key] = int((index["fold"][named].groupby((scope + index[key])[named]).nunique() > 1).sum())
    return counts


def moved_units(before: pd.DataFrame, after: pd.DataFrame) -> set[str]:
    """Return the units that two splits put on different sides, without those that are linked with others in one."""
    key = ["dataset", "file"]
    both = before.merge(after[[*key, "split", "fold"]], on=key, suffixes=("", "_after"))
    moved = (both["split"] != both["split_after"]) | (both["fold"] != both["fold_after"])
    linked = set()
    for index in (before, after):
        linked |= set(index.loc[index.groupby("group")["unit"].transform("nunique") > 1, "unit"])
    return set(both.loc[moved, "unit"]) - linked


def edited(index: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the index in another order, with near-duplicates between data sets, and perhaps without a data set."""
    index = index.sample(frac=1, random_state=rng.integers(2**32)).reset_index(drop=True)
    for number in range(rng.integers(5)):
        index.loc[rng.choice(len(index), 2), "cluster"] = f"planted{number}"
    names = index["dataset"].unique()
    if len(names) > 1 and rng.random() < 0.5:
        index = index[index["dataset"] != rng.choice(names)].reset_index(drop=True)
    return index
