"""FER2013: faces from web image search, 48×48 pixels, grey; distributed as a table or as folders of images.

Goodfellow et al., "Challenges in representation learning: A report on three machine learning contests", ICONIP 2013.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator

from stages.archives.archive import Archive
from stages.archives.member import Member
from stages.datasets.layout import FILE_NAMES, folder_label, reject
from stages.datasets.parts import find_part, nearest_part
from stages.datasets.picture import Picture, Rejected
from stages.datasets.readers.face_table import Header, read_faces, read_header
from stages.datasets.readers.votes import is_votes

LAYOUT = "fer2013.csv (emotion,pixels,Usage) or {train,test}/<emotion>/Training_3908.jpg"
CODES = ("anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral")
PUBLISHED = {
    "train": dict(zip(CODES, (3995, 436, 4097, 7215, 4830, 3171, 4965), strict=True)),
    "val": dict(zip(CODES, (467, 56, 496, 895, 653, 415, 607), strict=True)),
    "test": dict(zip(CODES, (491, 55, 528, 879, 594, 416, 626), strict=True)),
}
NAME = FILE_NAMES["fer2013"]


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Read the images of FER2013.

    Label: in a table, the column `emotion`; in folders, the name of the folder. Official part: in a table, the column
    `Usage` or else the table's name; in folders, the first word of the file name or else the part's folder. `Training`
    is train, `PublicTest` is val and `PrivateTest` is test; a copy whose folders are only training and validation has
    the test images in the latter. Subject and sequence: none.

    Args:
        archive: the data set as distributed. If it has the table, images beside it are not read; rows that stand in
            several tables are read once.

    Yields:
        Each image as a `Picture`, and each other member or invalid row as `Rejected`.

    Raises:
        InputError: an emotion or a part is unknown, or the archive is damaged.
    """
    tables, parts = _list_tables_and_parts(archive)
    with_usage = any(header.usage is not None for header in tables.values())
    rows = _Rows(several=len(tables) > 1)
    for member in archive:
        if header := tables.get(member.name):
            if with_usage and header.usage is None and not find_part(member.file):
                yield Rejected(member.name, "a table without the column Usage; another table has it")
            else:
                yield from rows.of(member, header, archive.limits.members)
        elif rejected := reject(member, "fer2013"):
            yield Rejected(member.name, "votes of FER+, read as the data set ferplus") if is_votes(member) else rejected
        elif tables:
            yield Rejected(member.name, f"FER2013 is read from {min(tables)}")
        elif (label := folder_label(member, CODES)) is None:
            yield Rejected(member.name, f"in no folder of an emotion: not named as {LAYOUT}", lost=True)
        else:
            part = _named_part(member) or nearest_part(member.folders) or ""
            official = "test" if part == "val" and not _named_part(member) and "test" not in parts else part
            yield Picture(member.name, label, member.read(), official=official)


def _list_tables_and_parts(archive: Archive) -> tuple[dict[str, Header], set[str]]:
    """Return the tables of faces with their columns, and the official parts of the pictures."""
    tables, parts = {}, set()
    for member in archive:
        kind = member.kind()
        if kind == "picture":
            parts.add(_named_part(member) or nearest_part(member.folders) or "")
        elif kind == "text":
            header = read_header(member)
            if header.pixels is not None and header.label is not None:
                tables[member.name] = header
    return tables, parts


def _named_part(member: Member) -> str | None:
    match = NAME.match(member.file)
    return find_part(match[1]) if match else None


class _Rows:
    """The rows of tables; of rows that stand in several tables, only those of the first one are read."""

    def __init__(self, *, several: bool) -> None:
        self._several = several
        self._counts: Counter[tuple[str, str, bytes]] = Counter()

    def of(self, member: Member, header: Header, limit: int) -> Iterator[Picture | Rejected]:
        counts: Counter[tuple[str, str, bytes]] = Counter()
        repeated = 0
        for row in read_faces(member, header, CODES, limit):
            if isinstance(row, Rejected):
                yield row
                continue
            if self._several:
                key = row.part, row.label, hashlib.sha256(row.pixels.encode()).digest()
                counts[key] += 1
                if counts[key] <= self._counts[key]:
                    repeated += 1
                    continue
            yield Picture(row.place, row.label, row.pixels, official=row.part)
        self._counts |= counts
        if repeated:
            yield Rejected(member.name, f"{repeated:,} rows that another table has as well")
