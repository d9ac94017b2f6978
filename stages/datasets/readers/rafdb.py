"""RAF-DB, basic emotions: faces from the web, aligned, 100×100 pixels, in colour; labelled by about 40 people each.

Li, Deng and Du, "Reliable crowdsourcing and deep locality-preserving learning for expression recognition in the wild",
CVPR 2017.
"""

import re
from collections.abc import Iterator

from stages.base.errors import InputError
from stages.datasets.archive import Archive
from stages.datasets.picture import Crop, Picture, Rejected

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
FILE_NAME = re.compile(r"([^/]+)/((train|test)_\d+)_aligned\.jpg$")
AUTHORS_LIST = "list_patition_label.txt"  # the authors' spelling
KAGGLE_LISTS = ("train_labels.csv", "test_labels.csv")  # the same labels as the folders
crop: Crop | None = None


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Read the images of RAF-DB.

    Label: the code in the authors' list if the archive has this list, otherwise the name of the folder. Official part:
    the first word of the file name, train or test. Subject and sequence: none.

    Args:
        archive: the data set as distributed.

    Yields:
        Each image as a `Picture`, and each other member as `Rejected`, except the lists of labels.

    Raises:
        InputError: a label is unknown or missing, or the archive is damaged.
    """
    listed_codes = _read_authors_list(archive)
    for member in archive:
        if match := FILE_NAME.search(member.name):
            folder, image, part = match.groups()
            code = listed_codes.get(image) if listed_codes else folder
            if code not in CODES:
                raise InputError(f"{member.name}: unknown label {code!r}; RAF-DB has 1 (surprise) to 7 (neutral)")
            yield Picture(member.name, CODES[code], member.read(), official=part)
        elif not member.name.endswith((AUTHORS_LIST, *KAGGLE_LISTS)):
            yield Rejected(member.name, f"not named as {LAYOUT}")


def _read_authors_list(archive: Archive) -> dict[str, str]:
    """Return image → label code from lines such as `train_00001.jpg 5`; empty if the archive has no such list."""
    for member in archive:
        if member.name.endswith(AUTHORS_LIST):
            rows = [line.split() for line in member.lines() if line.strip()]
            return {row[0].removesuffix(".jpg"): row[-1] for row in rows}
    return {}
