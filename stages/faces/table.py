"""The face table, which the stages pass on: `faces.npy` and `index.csv`.

`faces.npy` is a uint8 array, N×H×W (grey) or N×H×W×3 (RGB), opened as a memory map. `index.csv` has one row for each
face; its column `id` is the position of the face in `faces.npy`. Later stages write an index with fewer rows and
additional columns, and refer to the same `faces.npy`.
"""

from copy import copy
from pathlib import Path

import numpy as np
import pandas as pd

INTEGER_COLUMNS = {"id", "parent", "fold"}


def read_index(path: Path) -> pd.DataFrame:
    """Read an index.

    Args:
        path: a CSV file with a header.

    Returns:
        One row for each face. `INTEGER_COLUMNS` are int64; all other columns are text, with "" for an empty field.
    """
    columns = pd.read_csv(path, nrows=0).columns
    types = {column: np.int64 if column in INTEGER_COLUMNS else str for column in columns}
    return pd.read_csv(path, dtype=types, keep_default_na=False)


def write_index(index: pd.DataFrame, path: Path) -> None:
    """Write an index as CSV; lines end with a line feed on every system, so that equal rows give equal bytes."""
    index.to_csv(path, index=False, lineterminator="\n")


def open_faces(path: Path) -> np.ndarray:
    """Open `faces.npy` as a read-only memory map: uint8, N×H×W or N×H×W×3."""
    return np.load(path, mmap_mode="r")


class Selection:
    """A sequence of faces from one or more open tables. Pixels stay on disk until they are indexed.

    Args:
        *tables: pairs of faces (uint8, N×H×W or N×H×W×3, the same shape but for N) and the ids to select from them.

    Attributes:
        shape: shape of the selected faces as one array.
    """

    def __init__(self, *tables: tuple[np.ndarray, np.ndarray]) -> None:
        self._tables = [faces for faces, _ in tables]
        self._ids = np.concatenate([ids for _, ids in tables])
        self._table_numbers = np.repeat(np.arange(len(tables)), [len(ids) for _, ids in tables])
        self.shape = (len(self._ids), *self._tables[0].shape[1:])

    def __len__(self) -> int:
        return len(self._ids)

    def every(self, step: int, start: int) -> "Selection":
        """Return a selection of every `step`-th face, from position `start` on."""
        selection = copy(self)
        selection._ids, selection._table_numbers = self._ids[start::step], self._table_numbers[start::step]
        selection.shape = (len(selection), *self.shape[1:])
        return selection

    def __getitem__(self, positions: slice | np.ndarray) -> np.ndarray:
        """Read the faces at these positions, in this order.

        Args:
            positions: a slice, or an integer or boolean array.

        Returns:
            uint8, N×H×W or N×H×W×3.
        """
        ids, numbers = self._ids[positions], self._table_numbers[positions]
        faces = np.empty((len(ids), *self.shape[1:]), np.uint8)
        for number, table in enumerate(self._tables):
            from_table = numbers == number
            faces[from_table] = table[ids[from_table]]
        return faces
