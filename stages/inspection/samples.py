"""Samples of faces to show, and mean faces."""

import numpy as np
import pandas as pd

from stages.faces.table import Selection

BLOCK = 1024  # faces in memory at once


def sample_rows(rows: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Return at most `count` random rows, without repetition, in their original order."""
    return rows.sample(min(count, len(rows)), random_state=seed).sort_index()


def most_copied(copies: pd.DataFrame) -> pd.DataFrame:
    """Return the copies of the parent that has the most; among equal parents, that with the lowest id."""
    return copies[copies["parent"] == copies["parent"].value_counts(sort=False).sort_index().idxmax()]


def mean_face(faces: Selection) -> np.ndarray:
    """Return the pixelwise mean of faces, uint8 N×H×W or N×H×W×3 with N at least 1, as uint8 H×W or H×W×3."""
    total = sum(
        (faces[start : start + BLOCK].sum(axis=0, dtype=np.int64) for start in range(0, len(faces), BLOCK)),
        np.zeros(faces.shape[1:], np.int64),
    )
    return np.rint(total / len(faces)).astype(np.uint8)
