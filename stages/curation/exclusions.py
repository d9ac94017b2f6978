"""The hand-written list of faces to leave out, in place of deleting files by hand."""

from pathlib import Path

import pandas as pd

from stages.base.errors import InputError

COLUMNS = ["dataset", "file", "reason"]


def excluded(index: pd.DataFrame, path: Path) -> pd.Series:
    """The reason why each face of the index is excluded in the CSV at `path`, or "" where it is not.

    Lines of data sets that the index lacks are passed over; a line that names no face of one it has is said.
    Raises InputError where the list is not dataset,file,reason or gives no reason.
    """
    listed = pd.read_csv(path, dtype=str, keep_default_na=False)
    if list(listed.columns) != COLUMNS:
        raise InputError(f"{path}:1: must be {','.join(COLUMNS)}, not {','.join(listed.columns)}")
    listed["line"] = listed.index + 2
    for row in listed[listed["reason"].str.strip() == ""].itertuples():
        raise InputError(f"{path}:{row.line}: say in its last column why {row.file!r} is excluded")

    faces = pd.MultiIndex.from_frame(index[["dataset", "file"]])
    listed = listed[listed["dataset"].isin(index["dataset"])].drop_duplicates(["dataset", "file"])
    listed = listed.set_index(["dataset", "file"])
    for (dataset, file), line in listed.loc[~listed.index.isin(faces), "line"].items():
        print(f"{path}:{line}: {dataset} has no face {file!r}: nothing to exclude")
    return listed["reason"].reindex(faces).fillna("").set_axis(index.index)
