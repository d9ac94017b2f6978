"""Which faces are shown, and the mean of many."""

import numpy as np
import pandas as pd

from stages.faces.table import Selection

BLOCK = 1024  # faces that are in memory at once


def some(rows: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """At most `count` of the rows, drawn with `seed`, each once, in their order."""
    return rows.sample(min(count, len(rows)), random_state=seed).sort_index()


def most_copied(copies: pd.DataFrame) -> pd.DataFrame:
    """The copies of that parent which has most; of parents with equally many, the first."""
    return copies[copies["parent"] == copies["parent"].value_counts(sort=False).sort_index().idxmax()]


def mean_face(faces: Selection) -> np.ndarray:
    """The mean of faces uint8 N×H×W or N×H×W×3, N at least 1, pixel by pixel: uint8, H×W or H×W×3."""
    total = sum(faces[at : at + BLOCK].sum(axis=0, dtype=np.int64) for at in range(0, len(faces), BLOCK))
    return np.rint(total / len(faces)).astype(np.uint8)
