"""Writes a face table face by face, so that memory stays flat."""

import csv
from contextlib import ExitStack
from math import prod
from pathlib import Path

from numpy.lib import format as npy

from stages.datasets.picture import Face, Rejected

INDEX = ("id", "dataset", *Face._fields[:-1])  # all but the pixels
REJECTED = ("dataset", *Rejected._fields)


class TableWriter:
    """Writes `faces.npy`, `index.csv` and `rejected.csv` into `folder`; a context manager.

    A face is size×size (`channels` 1) or size×size×3.
    """

    def __init__(self, folder: Path, size: int, channels: int) -> None:
        self.count = 0
        self._shape = (size, size) if channels == 1 else (size, size, channels)
        self._open = ExitStack()
        self._faces = self._open.enter_context((folder / "faces.npy").open("wb", buffering=2**20))
        self._index = self._table(folder / "index.csv", INDEX)
        self._rejected = self._table(folder / "rejected.csv", REJECTED)
        self._write_header()

    def append(self, dataset: str, item: Face | Rejected) -> None:
        """Append one face, or one member that is none."""
        if isinstance(item, Rejected):
            self._rejected.writerow((dataset, *item))
            return
        *description, pixels = item
        if len(pixels) != prod(self._shape):
            raise ValueError(f"a face of {len(pixels)} bytes does not fit a table of {self._shape} uint8")
        self._faces.write(pixels)
        self._index.writerow((self.count, dataset, *description))
        self.count += 1

    def _table(self, path: Path, columns: tuple[str, ...]) -> "csv.Writer":
        table = csv.writer(self._open.enter_context(path.open("w", newline="")), lineterminator="\n")
        table.writerow(columns)
        return table

    def _write_header(self) -> None:
        # NumPy pads the header so that the first axis can grow in place: its length does not depend on the count.
        header = {"descr": "|u1", "fortran_order": False, "shape": (self.count, *self._shape)}
        npy.write_array_header_1_0(self._faces, header)

    def __enter__(self) -> "TableWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._faces.seek(0)
        self._write_header()
        self._open.close()
