"""The face table: `faces.npy` and `index.csv`, the one thing that flows through the pipeline.

`faces.npy` is a plain uint8 array, N×H×W (grey) or N×H×W×3 (RGB), opened as a memory map.
`index.csv` has a row a face; its column `id` is the face's row in `faces.npy`. Later stages write a smaller index,
with columns of their own added, and leave the pixels where they are.
"""

from pathlib import Path

import numpy as np
import pandas as pd


def read_index(path: Path) -> pd.DataFrame:
    """Read an index, a row a face; every column is text but for the whole-number ones in `NUMBERS`."""
    columns = pd.read_csv(path, nrows=0).columns
    types = {column: np.int64 if column in NUMBERS else str for column in columns}
    return pd.read_csv(path, dtype=types, keep_default_na=False)


NUMBERS = {"id", "parent", "fold"}


def write_index(index: pd.DataFrame, path: Path) -> None:
    """Write an index with fixed line ends, so that the same rows give the same bytes on any machine."""
    index.to_csv(path, index=False, lineterminator="\n")


def open_faces(path: Path) -> np.ndarray:
    """Open `faces.npy` as a read-only memory map: uint8, N×H×W or N×H×W×3."""
    return np.load(path, mmap_mode="r")
