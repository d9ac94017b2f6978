"""The rules by which faces are removed, in the order in which they are applied."""

import numpy as np
import pandas as pd
from pandas.api.typing import DataFrameGroupBy

from stages.params.clean import Clean

PRIORITY = {"test": 2, "val": 1}  # of several identical images, the one in the official part of highest priority stays

NEAR_CONSTANT = "near-constant picture"
COPY_OF_TEST = "copy of a test face"
NEAR_DUPLICATE_OF_TEST = "near-duplicate of a test face"
CONFLICT = "same picture under conflicting labels"
DUPLICATE = "duplicate"
NOT_LAST = "not the last face of its subject with its label"


def removal_reasons(index: pd.DataFrame, contrast: np.ndarray, settings: Clean) -> pd.Series:
    """Return the reason for which each face is removed, or "" for a face that is kept.

    If an image is both in an official test part and elsewhere, the test face is kept and the other copies are removed.

    Args:
        index: N rows with the columns dataset, file, label, subject, official, sha256 and cluster (of near-duplicates).
        contrast: N contrasts in grey levels, from `near_duplicates.contrast`.
        settings: the section `clean`: faces of a contrast below `min_contrast` are near-constant; with `whole_parts` no
            face of an official part is removed; with `one_per_expression` only the last face, by file name, of a
            subject with a label is kept, where subjects are named. In CK+48, that is the peak frame of a sequence.

    Returns:
        N strings with the index's row labels; each is "" or one of the constants of this module.
    """
    reason = pd.Series("", index=index.index)
    test = index["official"] == "test"

    def remove(rows: pd.Series, why: str) -> None:
        if settings.whole_parts:
            rows = rows & (index["official"] == "")
        reason[rows & (reason == "")] = why

    def remaining_by(column: str) -> DataFrameGroupBy:
        return index[reason == ""].assign(test=test).groupby(column)

    def for_all_rows(values: pd.Series) -> pd.Series:
        return values.reindex(index.index, fill_value=False).astype(bool)

    remove(pd.Series(contrast < settings.min_contrast, index=index.index), NEAR_CONSTANT)
    remove(for_all_rows(remaining_by("sha256")["test"].transform("any")) & ~test, COPY_OF_TEST)
    remove(for_all_rows(remaining_by("cluster")["test"].transform("any")) & ~test, NEAR_DUPLICATE_OF_TEST)
    remove(for_all_rows(remaining_by("sha256")["label"].transform("nunique") > 1), CONFLICT)
    by_priority = (
        index[reason == ""]
        .assign(priority=index["official"].map(PRIORITY).fillna(0))
        .sort_values("priority", ascending=False, kind="stable")
    )
    remove(for_all_rows(by_priority.duplicated("sha256")), DUPLICATE)
    if settings.one_per_expression:
        named = index[(reason == "") & (index["subject"] != "")].sort_values("file")
        remove(for_all_rows(named.duplicated(["dataset", "subject", "label"], keep="last")), NOT_LAST)
    return reason


def count_defects(index: pd.DataFrame) -> dict[str, int]:
    """Count the duplicates in one data set before cleaning.

    Args:
        index: the data set's faces, with the columns label, official and sha256.

    Returns:
        Counts by name: groups of identical images and the faces beyond the first of each; groups whose labels conflict
        and their faces; and, for each official part that exists, its faces that are also in the training part.
    """
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
