"""Groups of faces that stand on two sides of a split."""

import pandas as pd


def straddling(index: pd.DataFrame) -> dict[str, int]:
    """For each kind of link: how many subjects, films, sequences or clusters stand on more than one side."""
    side = index["split"] + index["fold"].astype(str)
    counts = {}
    for key in ("subject", "sequence", "cluster"):
        named = index[key] != ""
        within = index["dataset"] if key != "cluster" else ""
        counts[key] = int((side[named].groupby((within + index[key])[named]).nunique() > 1).sum())
    return counts
