"""Incremental writer of a face table: memory use does not depend on the number of faces."""

import csv
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from math import prod
from pathlib import Path

from numpy.lib import format as npy

from stages.datasets.picture import Face, Rejected

INDEX_COLUMNS = ("id", "dataset", *Face._fields[:-1])  # without the pixels
REJECTED_COLUMNS = ("dataset", "file", "reason")


class TableWriter:
    """Context manager that writes `faces.npy`, `index.csv` and `rejected.csv`.

    Args:
        folder: existing folder for the three files.
        size: side of a face in pixels.
        channels: 1 for faces of size×size, 3 for faces of size×size×3.

    Attributes:
        count: number of faces written so far.
    """

    def __init__(self, folder: Path, size: int, channels: int) -> None:
        self.count = 0
        self._shape = (size, size) if channels == 1 else (size, size, channels)
        self._files = ExitStack()
        self._faces = self._files.enter_context((folder / "faces.npy").open("wb", buffering=2**20))
        self._write_index_row = self._open_csv(folder / "index.csv", INDEX_COLUMNS)
        self._write_rejected_row = self._open_csv(folder / "rejected.csv", REJECTED_COLUMNS)
        self._write_header()

    def append(self, dataset: str, item: Face | Rejected) -> None:
        """Append one face to the table, or one rejected member to `rejected.csv`.

        Args:
            dataset: value of the column `dataset`.
            item: the face or rejected member.

        Raises:
            ValueError: the face has another size than the table.
        """
        if isinstance(item, Rejected):
            self._write_rejected_row((dataset, item.file, item.reason))
            return
        *description, pixels = item
        if len(pixels) != prod(self._shape):
            raise ValueError(f"a face of {len(pixels)} bytes does not fit a table of {self._shape} uint8")
        self._faces.write(pixels)
        self._write_index_row((self.count, dataset, *description))
        self.count += 1

    def _open_csv(self, path: Path, columns: Iterable[str]) -> Callable[[Iterable[object]], object]:
        """Create a CSV file with these columns, and return a function that writes one row."""
        writer = csv.writer(self._files.enter_context(path.open("w", newline="")), lineterminator="\n")
        writer.writerow(columns)
        return writer.writerow

    def _write_header(self) -> None:
        # NumPy pads the header for any length of the first axis, so the final header fits in place of the first one.
        header = {"descr": "|u1", "fortran_order": False, "shape": (self.count, *self._shape)}
        npy.write_array_header_1_0(self._faces, header)

    def __enter__(self) -> "TableWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._faces.seek(0)
        self._write_header()
        self._files.close()
