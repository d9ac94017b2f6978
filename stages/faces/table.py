"""The face table: `faces.npy` and `index.csv`, the one thing that flows through the pipeline.

`faces.npy` is a plain uint8 array, N×H×W (grey) or N×H×W×3 (RGB), opened as a memory map.
`index.csv` has a row a face; its column `id` is the face's row in `faces.npy`. Later stages write a smaller index,
with columns of their own added, and leave the pixels where they are.
"""

from copy import copy
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


class Selection:
    """Some faces of one open table or several, one after another, which stay on disk until they are asked for.

    `tables` are pairs of uint8 N×H×W or N×H×W×3 and the ids that are taken of it. A selection is indexed by a slice or
    by an array of positions.
    """

    def __init__(self, *tables: tuple[np.ndarray, np.ndarray]) -> None:
        self._tables = [faces for faces, _ in tables]
        self._ids = np.concatenate([ids for _, ids in tables])
        self._numbers = np.repeat(np.arange(len(tables)), [len(ids) for _, ids in tables])
        self.shape = (len(self._ids), *self._tables[0].shape[1:])

    def __len__(self) -> int:
        return len(self._ids)

    def every(self, step: int, start: int) -> "Selection":
        """Each `step`-th face from the position `start` on."""
        part = copy(self)
        part._ids, part._numbers = self._ids[start::step], self._numbers[start::step]
        part.shape = (len(part), *self.shape[1:])
        return part

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        ids, numbers = self._ids[rows], self._numbers[rows]
        faces = np.empty((len(ids), *self.shape[1:]), np.uint8)
        for number, table in enumerate(self._tables):
            here = numbers == number
            faces[here] = table[ids[here]]
        return faces
