"""Links between faces that are on two sides of a split."""

import pandas as pd


def split_links(index: pd.DataFrame) -> dict[str, int]:
    """Return, for each kind of link, how many subjects, sequences (or films) or clusters are on more than one side."""
    side = index["split"] + index["fold"].astype(str)
    counts = {}
    for key in ("subject", "sequence", "cluster"):
        named = index[key] != ""
        scope = index["dataset"] if key != "cluster" else ""
        counts[key] = int((side[named].groupby((scope + index[key])[named]).nunique() > 1).sum())
    return counts
