"""Tables of faces as FER2013 has them: a label, the pixels and the official part in each row."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stages.archives.member import Member
from stages.base.errors import InputError
from stages.datasets.labels import harmonise
from stages.datasets.parts import find_part
from stages.datasets.picture import Rejected

COLUMNS = {
    "label": ("emotion", "emotions", "label", "labels", "class", "expression"),
    "pixels": ("pixels", "pixel"),
    "usage": ("usage", "split", "subset", "part", "set"),
}


class Row(NamedTuple):
    """A row of a table of faces.

    Attributes:
        place: name of the table and number of the line ("fer2013.csv:2").
        label: one of `stages.datasets.labels.LABELS`.
        pixels: grey levels, separated by spaces.
        part: "train", "val" or "test", from the column `Usage` or else from the table's name; "" if neither tells.
    """

    place: str
    label: str
    pixels: str
    part: str


class Header(NamedTuple):
    """Numbers of the columns of a table of faces; None for a column that it lacks."""

    label: int | None
    pixels: int | None
    usage: int | None
    width: int


def read_header(member: Member) -> Header:
    """Return the columns of a table by their names in the first line, in which case and spaces do not matter.

    Raises:
        InputError: a column stands there twice.
    """
    names = [name.strip().strip("\"'").casefold() for name in member.header()]
    found: dict[str, int | None] = {}
    for column, spellings in COLUMNS.items():
        known = next((spelling for spelling in spellings if spelling in names), None)
        if known and names.count(known) > 1:
            raise InputError(f"{member.name}: the column {known!r} stands there twice; remove one")
        found[column] = names.index(known) if known else None
    return Header(found["label"], found["pixels"], found["usage"], len(names))


def read_faces(member: Member, header: Header, codes: Sequence[str], limit: int) -> Iterator[Row | Rejected]:
    """Yield the rows below the header.

    Args:
        member: the table.
        header: its columns; `label` and `pixels` must be there.
        codes: label of each code, from 0.
        limit: largest number of lines.

    Raises:
        InputError: a label or a part is unknown, or the table is damaged.
    """
    assert header.label is not None
    assert header.pixels is not None
    of_table = find_part(member.file.split(".")[0]) or next(
        (part for folder in reversed(member.folders) if (part := find_part(folder))), ""
    )
    rows = member.rows(limit)
    next(rows, None)
    for number, row in rows:
        place = f"{member.name}:{number}"
        if len(row) != header.width:
            yield Rejected(place, f"{len(row)} columns in place of {header.width}", lost=True)
            continue
        label = harmonise(row[header.label], place, codes)
        part = of_table if header.usage is None else _part(row[header.usage], place)
        yield Row(place, label, row[header.pixels], part)


def _part(usage: str, place: str) -> str:
    part = find_part(usage)
    if part is None:
        raise InputError(f"{place}: Usage {usage[:60]!r} is unknown; FER2013 has Training, PublicTest and PrivateTest")
    return part
