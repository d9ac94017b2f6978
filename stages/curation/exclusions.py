"""The list of faces that a person has excluded, data/exclude.csv."""

from pathlib import Path

import pandas as pd

from stages.base.errors import InputError

COLUMNS = ["dataset", "file", "reason"]


def exclusion_reasons(index: pd.DataFrame, path: Path) -> pd.Series:
    """Return the reason for which each face is excluded by hand, or "" for a face that is not.

    Lines about data sets that are not in the index are ignored. A line about a file that its data set does not contain
    is reported and ignored.

    Args:
        index: N faces with the columns dataset and file.
        path: a CSV file with the columns dataset, file and reason.

    Returns:
        N strings with the index's row labels.

    Raises:
        InputError: if the file has other columns, or if a line gives no reason.
    """
    listed = pd.read_csv(path, dtype=str, keep_default_na=False)
    if list(listed.columns) != COLUMNS:
        raise InputError(f"{path}:1: the columns must be {','.join(COLUMNS)}, not {','.join(listed.columns)}")
    listed["line"] = listed.index + 2
    for row in listed[listed["reason"].str.strip() == ""].itertuples():
        raise InputError(
            f"{path}:{row.line}: the reason is missing; write in the last column why {row.file!r} is excluded"
        )

    faces = pd.MultiIndex.from_frame(index[["dataset", "file"]])
    listed = listed[listed["dataset"].isin(index["dataset"])].drop_duplicates(["dataset", "file"])
    listed = listed.set_index(["dataset", "file"])
    for (dataset, file), line in listed.loc[~listed.index.isin(faces), "line"].items():
        print(f"{path}:{line}: {dataset} has no file {file!r}; the line is ignored")
    return listed["reason"].reindex(faces).fillna("").set_axis(index.index)
