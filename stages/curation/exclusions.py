"""The list of faces that a person has excluded, data/exclude.csv."""

from pathlib import Path

import pandas as pd

from stages.base.errors import InputError
from stages.curation.splitting import TEST

COLUMNS = ["dataset", "file", "reason"]
EXCLUDED = "excluded"


def excluded_faces(index: pd.DataFrame, path: Path) -> pd.Series:
    """Return which faces are excluded by hand.

    Lines about data sets that are not in the index are ignored. A line about a file that its data set does not contain,
    or about a face of the test part, is reported and ignored: whoever excludes test faces chooses the test part.

    Args:
        index: N faces with the columns dataset, file and split, those included that are removed.
        path: a CSV file with the columns dataset, file and reason.

    Returns:
        N booleans with the index's row labels.

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

    key = ["dataset", "file"]
    listed = listed[listed["dataset"].isin(index["dataset"])]
    listed = listed.merge(index[[*key, "split"]].drop_duplicates(key), how="left", on=key)
    for row in listed[listed["split"].isna()].itertuples():
        print(f"{path}:{row.line}: {row.dataset} has no file {row.file!r}; the line is ignored")
    for row in listed[listed["split"] == TEST].itertuples():
        print(f"{path}:{row.line}: {row.file!r} of {row.dataset} is a test face; the line is ignored")
    names = pd.MultiIndex.from_frame(listed.loc[listed["split"] != TEST, key])
    return pd.Series(pd.MultiIndex.from_frame(index[key]).isin(names), index=index.index)
