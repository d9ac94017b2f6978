"""What predict prints: a table for people, or CSV or JSON with every face."""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from stages.prediction.batches import Row
from stages.prediction.files import File

Printer = Callable[[File, list[Row]], None]
WIDEST = 40  # characters of a file's path in the table; of a longer one, the end is shown
COLUMNS = ("file", "seconds", "person", "left", "top", "right", "bottom", "score", "label")


@contextmanager
def csv_printer(labels: list[str], _: list[File]) -> Iterator[Printer]:
    """Yield a function that prints each face of a file as a row of CSV."""
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow([*COLUMNS, *labels])
    yield lambda file, found: rows.writerows([record.values() for record in _records(file, found)])


@contextmanager
def json_printer(labels: list[str], _: list[File]) -> Iterator[Printer]:
    """Yield a function that prints each face of a file as an object; together they are one list of JSON."""
    separator = "["

    def write(file: File, found: list[Row]) -> None:
        nonlocal separator
        for record in _records(file, found):
            print(separator, json.dumps(record), end="")
            separator = ",\n"

    yield write
    print("[]" if separator == "[" else "]")


@contextmanager
def table_printer(labels: list[str], files: list[File]) -> Iterator[Printer]:
    """Yield a function that prints a line for each face of a picture, and for each person of a video.

    The line of a person has the means over the video.
    """
    width = min(max(len(str(file.path)) for file in files), WIDEST)
    print(f"{'file':{width}}  {'seconds':>11}  face  label      " + "".join(f"{label[:8]:>9}" for label in labels))

    def write(file: File, found: list[Row]) -> None:
        name = str(file.path)
        name = name if len(name) <= width else f"…{name[1 - width :]}"
        for person in sorted({row.person for row in found}):
            rows = [row for row in found if row.person == person]
            means = np.mean([list(row.face.probabilities.values()) for row in rows], axis=0)
            times = [row.seconds for row in rows if row.seconds is not None]
            span = f"{times[0]:.1f}–{times[-1]:.1f}" if times else ""
            shares = "".join(f"{mean:9.2f}" for mean in means)
            print(f"{name:{width}}  {span:>11}  {person:4}  {labels[means.argmax()][:9]:9}  {shares}", flush=True)

    yield write


def _records(file: File, found: list[Row]) -> Iterator[dict[str, Any]]:
    """Yield a flat record for each face, with the keys COLUMNS and the labels."""
    for person, face, seconds in found:
        edges = {name: round(getattr(face.box, name), 1) for name in ("left", "top", "right", "bottom")}
        yield {
            "file": str(file.path),
            "seconds": None if seconds is None else round(seconds, 3),
            "person": person,
            **edges,
            "score": round(face.box.score, 4),
            "label": face.label,
            **{label: round(value, 6) for label, value in face.probabilities.items()},
        }
