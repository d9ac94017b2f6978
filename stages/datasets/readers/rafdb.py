"""RAF-DB, basic emotions: faces from the web, aligned, labelled by about 40 people each (Li et al., 2017)."""

import re
from collections.abc import Iterator

from stages.base.errors import InputError
from stages.datasets.archive import Archive
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
    "train": dict(zip(CODES.values(), (1290, 281, 717, 4772, 1982, 705, 2524))),
    "test": dict(zip(CODES.values(), (329, 74, 160, 1185, 478, 162, 680))),
}
NAME = re.compile(r"([^/]+)/((train|test)_\d+)_aligned\.jpg$")
AUTHORS_LIST = "list_patition_label.txt"  # spelt so by its authors
KAGGLE_LISTS = ("train_labels.csv", "test_labels.csv")  # say again what the folders say
crop = None


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Label: the folder, or the authors' list. Official part: the first word of the file's name."""
    listed = _authors_list(archive)
    for member in archive:
        if found := NAME.search(member.name):
            folder, face, part = found.groups()
            code = listed.get(face) if listed else folder
            if code not in CODES:
                raise InputError(f"{member.name}: its label is {code!r}; RAF-DB has 1 (surprise) to 7 (neutral)")
            yield Picture(member.name, CODES[code], member.read(), official=part)
        elif not member.name.endswith((AUTHORS_LIST, *KAGGLE_LISTS)):
            yield Rejected(member.name, f"not named as {LAYOUT}")


def _authors_list(archive: Archive) -> dict[str, str]:
    """The label codes in the authors' list, `train_00001.jpg 5` a line; empty where the archive has no list."""
    for member in archive:
        if member.name.endswith(AUTHORS_LIST):
            pairs = [line.split() for line in member.lines() if line.strip()]
            return {pair[0].removesuffix(".jpg"): pair[-1] for pair in pairs}
    return {}
