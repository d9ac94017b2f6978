"""Which faces go, and why: the rules, in the order in which they are tried."""

import numpy as np
import pandas as pd

RANK = {"test": 2, "val": 1}  # of two copies, the one in the part of higher rank stays

BY_HAND = "excluded by hand"
EMPTY = "near-constant picture"
COPY = "copy of a test face"
TWIN = "near-duplicate of a test face"
CONFLICT = "same picture under conflicting labels"
DUPLICATE = "duplicate"


def reasons(
    index: pd.DataFrame, by_hand: pd.Series, contrast: np.ndarray, min_contrast: float, whole_test: bool
) -> pd.Series:
    """The reason why each face of the index goes, or "" where it stays.

    The index has the columns label, official, sha256 and cluster (of near-duplicates). `by_hand` and `contrast` (grey
    levels) say of each face whether it is excluded and how much it shows. Where a picture stands both in an official
    test part and outside, the outer copies go and the test face stays; with `whole_test`, test faces stay whatever
    they are.
    """
    reason = pd.Series("", index=index.index)
    test = index["official"] == "test"

    def remove(rows: pd.Series, why: str) -> None:
        if whole_test:
            rows = rows & ~test
        reason[rows & (reason == "")] = why

    def left(column: str) -> pd.core.groupby.DataFrameGroupBy:
        return index[reason == ""].assign(test=test).groupby(column)

    def of_rows(values: pd.Series) -> pd.Series:
        return values.reindex(index.index, fill_value=False).astype(bool)

    remove(by_hand, BY_HAND)
    remove(pd.Series(contrast < min_contrast, index=index.index), EMPTY)
    remove(of_rows(left("sha256")["test"].transform("any")) & ~test, COPY)
    remove(of_rows(left("cluster")["test"].transform("any")) & ~test, TWIN)
    remove(of_rows(left("sha256")["label"].transform("nunique") > 1), CONFLICT)
    best_first = (
        index[reason == ""]
        .assign(rank=index["official"].map(RANK).fillna(0))
        .sort_values("rank", ascending=False, kind="stable")
    )
    remove(of_rows(best_first.duplicated("sha256")), DUPLICATE)
    return reason


def defects(index: pd.DataFrame) -> dict[str, int]:
    """What is wrong with one data set's faces as they came: counts of groups and of faces, by name."""
    copies = index.groupby("sha256").agg(faces=("label", "size"), labels=("label", "nunique"))
    train = index[index["official"] == "train"]
    return {
        "duplicate_groups": int((copies["faces"] > 1).sum()),
        "redundant_faces": int((copies["faces"] - 1).sum()),
        "conflicting_groups": int((copies["labels"] > 1).sum()),
        "conflicting_faces": int(copies.loc[copies["labels"] > 1, "faces"].sum()),
    } | {
        f"{part}_faces_also_in_train": int(index.loc[index["official"] == part, "sha256"].isin(train["sha256"]).sum())
        for part in ("val", "test")
        if (index["official"] == part).any()
    }
