"""FER+: the images of FER2013 with new labels, by the votes of ten people for each image.

Barsoum et al., "Training deep networks for facial expression recognition with crowd-sourced label distribution",
ICMI 2016.
"""

from collections.abc import Iterator

from stages.archives.archive import Archive
from stages.archives.member import Member
from stages.base.errors import InputError
from stages.datasets.layout import FILE_NAMES, reject
from stages.datasets.picture import Picture, Rejected
from stages.datasets.readers.face_table import Header, Row, read_faces, read_header
from stages.datasets.readers.fer2013 import CODES
from stages.datasets.readers.votes import EMOTIONS, Vote, is_table, is_votes, read_votes

LAYOUT = "fer2013new.csv with fer2013.csv, or FER2013{Train,Valid,Test}/fer0000000.png with fer2013new.csv or label.csv"
# Images with a label by the rule of `read_votes`, of the votes in label.csv as its authors distribute it.
PUBLISHED = {
    "train": dict(zip(EMOTIONS, (8733, 7284, 3136, 3022, 2098, 116, 536, 120), strict=True)),
    "val": dict(zip(EMOTIONS, (1180, 862, 411, 348, 289, 25, 60, 16), strict=True)),
    "test": dict(zip(EMOTIONS, (1083, 892, 394, 382, 269, 16, 86, 15), strict=True)),
}
LEAST_AGREEMENT = 0.5  # of FER2013's labels and the majority's; rows in another order agree in less than a quarter


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Read the images of FER2013 with the labels of FER+.

    Label: the majority of the votes (`read_votes`); images without one are rejected. Official part: as in FER2013.
    Subject and sequence: none. Votes belong to the image with the name that they state; without such images, those of
    fer2013new.csv belong to the rows of fer2013.csv in the same order, which is checked.

    For 1,602 images label.csv and fer2013new.csv have other votes; all but one of these are copies of another image.
    With images and both tables, the votes of label.csv are taken; `PUBLISHED` counts these.

    Args:
        archive: the votes, and the images or fer2013.csv.

    Yields:
        Each image as a `Picture` or `Rejected`, and each other member except the votes as `Rejected`.

    Raises:
        InputError: there are no votes or no images, the order of fer2013.csv is not that of fer2013new.csv or cannot be
            checked without it, or the archive is damaged.
    """
    rows, lists, tables, has_pictures = _list(archive)
    if not rows and not lists:
        raise InputError(f"{archive}: no votes of FER+; expected layout: {LAYOUT}")
    if not has_pictures and tables:
        if not rows:
            raise InputError(f"{archive}: fer2013new.csv is missing; label.csv does not tell the rows of fer2013.csv")
        _check_order(archive, rows, *next(iter(tables.items())))
    by_image = {vote.image: vote for vote in rows + lists}
    for member in archive:
        if is_votes(member):
            continue
        if not has_pictures and member.name in tables:
            if member.name == next(iter(tables)):
                yield from _rows(archive, member, tables[member.name], rows)
        elif rejected := reject(member, "ferplus"):
            yield rejected
        elif vote := by_image.get(member.file.split(".")[0].lower()):
            yield _face(member.name, vote, member.read())
        else:
            yield Rejected(member.name, "not named in the votes of FER+", lost=True)


def _list(archive: Archive) -> tuple[list[Vote], list[Vote], dict[str, Header], bool]:
    """Return the votes of fer2013new.csv and of label.csv, the tables of faces, and whether there are images."""
    rows: list[Vote] = []
    lists: list[Vote] = []
    tables: dict[str, Header] = {}
    has_pictures = False
    for member in archive:
        if is_votes(member):
            votes = rows if is_table(member) else lists
            further = list(read_votes(member, archive.limits.members))
            if not {vote.image for vote in further} & {vote.image for vote in votes} - {""}:
                votes += further
        elif member.kind() == "text":
            header = read_header(member)
            if header.pixels is not None and header.label is not None:
                tables[member.name] = header
        else:
            has_pictures |= bool(FILE_NAMES["ferplus"].match(member.file))
    return rows, lists, tables, has_pictures


def _check_order(archive: Archive, votes: list[Vote], name: str, header: Header) -> None:
    """Raise InputError if the rows of fer2013.csv do not stand in the order of the votes."""
    same = labelled = count = 0
    for member in archive:
        if member.name != name:
            continue
        for row in read_faces(member, header, CODES, archive.limits.members):
            vote = votes[count] if count < len(votes) else None
            count += 1
            if vote is None or (isinstance(row, Row) and row.part != vote.part):
                same = 0
                break
            if vote.label and isinstance(row, Row):
                labelled += 1
                same += row.label == vote.label
    if count != len(votes) or same < LEAST_AGREEMENT * labelled:
        raise InputError(
            f"{name}: its rows are not those of fer2013new.csv in the same order, as the original fer2013.csv has "
            "them; get that table, or the images that FER+ names (FER2013Train/fer0000000.png)"
        )


def _rows(archive: Archive, member: Member, header: Header, votes: list[Vote]) -> Iterator[Picture | Rejected]:
    for row, vote in zip(read_faces(member, header, CODES, archive.limits.members), votes, strict=True):
        yield row if isinstance(row, Rejected) else _face(row.place, vote, row.pixels)


def _face(file: str, vote: Vote, content: bytes | str | None) -> Picture | Rejected:
    return Picture(file, vote.label, content, official=vote.part) if vote.label else Rejected(file, vote.reason)
