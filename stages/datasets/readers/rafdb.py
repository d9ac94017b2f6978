"""RAF-DB, basic emotions: faces from the web, aligned, 100×100 pixels, in colour; labelled by about 40 people each.

Li, Deng and Du, "Reliable crowdsourcing and deep locality-preserving learning for expression recognition in the wild",
CVPR 2017.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from stages.archives.archive import Archive
from stages.archives.member import Member
from stages.base.errors import InputError
from stages.datasets.labels import harmonise
from stages.datasets.layout import folder_label, reject, told_label
from stages.datasets.parts import nearest_part
from stages.datasets.picture import Picture, Rejected

LAYOUT = "DATASET/{train,test}/<1..7>/train_00001_aligned.jpg, or Image/aligned/ with EmoLabel/list_patition_label.txt"
CODES = {
    "1": "surprise",
    "2": "fear",
    "3": "disgust",
    "4": "happy",
    "5": "sadness",
    "6": "anger",
    "7": "neutral",
}
PUBLISHED = {
    "train": dict(zip(CODES.values(), (1290, 281, 717, 4772, 1982, 705, 2524), strict=True)),
    "test": dict(zip(CODES.values(), (329, 74, 160, 1185, 478, 162, 680), strict=True)),
}
IMAGE = re.compile(r"(?:.*/)?((train|test)_\d+)(_aligned)?(?:\.\w+)*", re.IGNORECASE)
LABEL_COLUMNS = {"label", "labels", "emotion", "class", "expression"}


class Listed(NamedTuple):
    """A label in a list, and the line where it stands."""

    label: str
    place: str


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Read the images of RAF-DB.

    Label: in a list, the field after the image's name (or that of the column `label`); otherwise the name of the
    folder, a code or an emotion. Official part: the first word of the file name or else the part's folder; a copy whose
    folders are only training and validation has the test images in the latter. Subject and sequence: none.

    Args:
        archive: the data set as distributed.

    Yields:
        Each image as a `Picture`, and each other member as `Rejected`, except the lists of labels.

    Raises:
        InputError: a label is unknown or missing, two labels of an image differ, or the archive is damaged.
    """
    lists, listed, parts, has_aligned = _list(archive)
    missing = dict(listed)
    for member in archive:
        if member.name in lists:
            continue
        if rejected := reject(member, "rafdb"):
            yield rejected
            continue
        match = IMAGE.fullmatch(member.file)
        if _is_original(member):
            reason = "an original photograph, in place of which its aligned face is read"
            if not has_aligned:
                reason = "an original photograph, not a face; get Image/aligned.zip"
            yield Rejected(member.name, reason, lost=not has_aligned)
            continue
        if match is not None and has_aligned and not match[3] and not _in_aligned(member):
            yield Rejected(member.name, "not aligned, in place of which its aligned face is read")
            continue
        image = match[1].lower() if match else ""
        missing.pop(image, None)
        label = _label(member, listed.get(image), bool(listed))
        part = match[2].lower() if match else nearest_part(member.folders) or ""
        if label is None or not part:
            yield Rejected(member.name, f"no label or part is known: not named as {LAYOUT}", lost=True)
        else:
            official = "test" if part == "val" and "test" not in parts else part
            yield Picture(member.name, label, member.read(), official=official)
    for image, entry in missing.items():
        yield Rejected(f"{entry.place} ({image})", "listed, but not in the archive", lost=True)


def _list(archive: Archive) -> tuple[set[str], dict[str, Listed], set[str], bool]:
    """Return names of lists, image → its label there, parts of the pictures, and whether there are aligned ones."""
    lists: set[str] = set()
    listed: dict[str, Listed] = {}
    parts: set[str] = set()
    has_aligned = False
    for member in archive:
        if re.search("label|list|partition", member.file, re.IGNORECASE) and member.kind() == "text":
            if _read_list(member, listed, archive.limits.members):
                lists.add(member.name)
        elif member.kind() == "picture":
            match = IMAGE.fullmatch(member.file)
            parts.add(match[2].lower() if match else nearest_part(member.folders) or "")
            has_aligned |= not _is_original(member) and (_in_aligned(member) or bool(match and match[3]))
    return lists, listed, parts, has_aligned


def _read_list(member: Member, listed: dict[str, Listed], limit: int) -> bool:
    """Add the labels of a list such as `train_00001.jpg 5`; return whether the member is one."""
    column: int | None = None
    label_column: int | None = None
    for number, row in member.rows(limit):
        if column is None:
            column = next((place for place, field in enumerate(row) if IMAGE.fullmatch(field.strip())), None)
            if column is None:
                if number > 2:
                    return False
                names = [field.strip().casefold() for field in row]
                label_column = next((place for place, name in enumerate(names) if name in LABEL_COLUMNS), None)
                continue
        place = f"{member.name}:{number}"
        match = IMAGE.fullmatch(row[column].strip()) if column < len(row) else None
        at = label_column if label_column is not None else column + 1 if column + 1 < len(row) else column - 1
        if match is None or not 0 <= at < len(row):
            raise InputError(f"{place}: no image and label; RAF-DB's lists have lines such as train_00001.jpg 5")
        image, label = match[1].lower(), harmonise(row[at], place, CODES)
        if listed.setdefault(image, Listed(label, place)).label != label:
            raise InputError(f"{place}: {image} is {label} here, and {listed[image].label} in {listed[image].place}")
    return column is not None


def _label(member: Member, entry: Listed | None, has_list: bool) -> str | None:
    if entry is None:
        label = folder_label(member, CODES)
        if label is None and has_list:
            raise InputError(f"{member.name}: its label is not in the list of labels")
        return label
    in_folder = told_label(member, CODES)
    if in_folder not in (None, entry.label):
        raise InputError(f"{member.name}: in the folder of {in_folder}, but {entry.label} in {entry.place}")
    return entry.label


def _is_original(member: Member) -> bool:
    return any(folder.casefold() in ("original", "original.zip") for folder in member.folders)


def _in_aligned(member: Member) -> bool:
    return any("aligned" in folder.casefold() for folder in member.folders)
