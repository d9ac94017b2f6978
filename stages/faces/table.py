"""The face table, which the stages pass on: `faces.npy` and `index.csv`.

`faces.npy` is a uint8 array, N×H×W (grey) or N×H×W×3 (RGB), opened as a memory map. `index.csv` has one row for each
face; its column `id` is the position of the face in `faces.npy`. Later stages write an index with fewer rows and
additional columns, and refer to the same `faces.npy`.
"""

from collections.abc import Iterable
from copy import copy
from pathlib import Path

import numpy as np
import pandas as pd

from stages.base.errors import InputError
from stages.base.tables import AGAIN, read_table

INTEGER_COLUMNS = dict.fromkeys(("id", "parent", "fold"), int)
SPLIT_COLUMNS = ("dataset", "file", "label", "group", "split", "fold")  # what most stages read of data/split/index.csv


def read_index(path: Path, *columns: str) -> pd.DataFrame:
    """Read an index.

    Args:
        path: a CSV file with a header.
        *columns: the columns that it must have, besides `id`.

    Returns:
        One row for each face. `INTEGER_COLUMNS` are int64; all other columns are text, with "" for an empty field.

    Raises:
        InputError: the file is no table with these columns, or is damaged.
    """
    index = read_table(path, INTEGER_COLUMNS, required={"id", *columns})
    if not index["id"].is_unique or (index["id"] < 0).any():
        raise InputError(f"{path}: damaged (its column id does not number the faces); {AGAIN}")
    return index


def write_index(index: pd.DataFrame, path: Path) -> None:
    """Write an index as CSV; lines end with a line feed on every system, so that equal rows give equal bytes."""
    index.to_csv(path, index=False, lineterminator="\n")


def open_faces(path: Path, *indexes: pd.DataFrame) -> np.ndarray:
    """Open `faces.npy` as a read-only memory map: uint8, N×H×W or N×H×W×3.

    Args:
        path: the file.
        *indexes: indexes whose ids refer to it.

    Raises:
        InputError: the file is no such array, is damaged, or lacks a face that an index names.
    """
    try:
        faces = np.lib.format.open_memmap(path, mode="r")
    except ValueError as error:
        raise InputError(f"{path}: damaged ({' '.join(str(error).split())[:150]}); {AGAIN}") from None
    if faces.dtype != np.uint8 or faces.ndim not in (3, 4) or not faces.shape[1]:
        raise InputError(f"{path}: is not an array of faces; {AGAIN}")
    for index in indexes:
        _check_ids(index["id"].to_numpy(), faces, str(path))
    return faces


def _check_ids(ids: np.ndarray, faces: np.ndarray, name: str) -> None:
    if len(ids) and not 0 <= ids.min() <= ids.max() < len(faces):
        raise InputError(f"{name}: has {len(faces)} faces, and an index names face {ids.max()}; {AGAIN}")


def write_faces(faces: Iterable[np.ndarray], shape: tuple[int, ...], path: Path) -> None:
    """Write `faces.npy`, one face after another; a full disk is an error, where a memory map would end the process.

    Args:
        faces: N faces, uint8, H×W or H×W×3.
        shape: N×H×W or N×H×W×3.
        path: the file.
    """
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for face in faces:
            file.write(face.tobytes())


class Selection:
    """A sequence of faces from one or more open tables. Pixels stay on disk until they are indexed.

    Args:
        *tables: pairs of faces (uint8, N×H×W or N×H×W×3, the same shape but for N) and the ids to select from them.

    Attributes:
        shape: shape of the selected faces as one array.

    Raises:
        InputError: an id is not one of its faces.
    """

    def __init__(self, *tables: tuple[np.ndarray, np.ndarray]) -> None:
        for faces, ids in tables:
            _check_ids(ids, faces, "faces.npy")
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
