"""FER2013: faces from web image search, 48×48 pixels, grey; distributed as a CSV table or as folders of images.

Goodfellow et al., "Challenges in representation learning: A report on three machine learning contests", ICONIP 2013.
"""

import csv
import re
from collections.abc import Iterator

from stages.base.errors import InputError
from stages.datasets.archive import Archive, Member
from stages.datasets.labels import harmonise
from stages.datasets.picture import Crop, Picture, Rejected

LAYOUT = "fer2013.csv (emotion,pixels,Usage) or {train,test}/<emotion>/Training_3908.jpg"
CODES = ("anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral")
PARTS = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
PUBLISHED = {
    "train": dict(zip(CODES, (3995, 436, 4097, 7215, 4830, 3171, 4965), strict=True)),
    "val": dict(zip(CODES, (467, 56, 496, 895, 653, 415, 607), strict=True)),
    "test": dict(zip(CODES, (491, 55, 528, 879, 594, 416, 626), strict=True)),
}
FILE_NAME = re.compile(rf"([^/]+)/({'|'.join(PARTS)})_\d+\.jpg$")
crop: Crop | None = None


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Read the images of FER2013.

    Label: in a table, the code in the column `emotion`; in folders, the name of the folder. Official part: in a table,
    the column `Usage`; in folders, the first word of the file name. `Training` is train, `PublicTest` is val and
    `PrivateTest` is test. Subject and sequence: none.

    Args:
        archive: the data set as distributed.

    Yields:
        Each image as a `Picture`, and each other member or invalid row as `Rejected`.

    Raises:
        InputError: an emotion or a usage is unknown, or the archive is damaged.
    """
    for member in archive:
        if match := FILE_NAME.search(member.name):
            emotion, usage = match.groups()
            yield Picture(member.name, harmonise(emotion, member.name), member.read(), official=PARTS[usage])
        elif member.name.endswith(".csv"):
            yield from _rows(member)
        else:
            yield Rejected(member.name, f"not named as {LAYOUT}")


def _rows(member: Member) -> Iterator[Picture | Rejected]:
    rows = csv.reader(member.lines())
    header = [name.strip() for name in next(rows, [])]  # one distribution has the column " pixels"
    if not {"emotion", "pixels", "Usage"} <= set(header):
        yield Rejected(member.name, "a table without the columns emotion, pixels and Usage")
        return
    for number, row in enumerate(rows, start=2):
        place = f"{member.name}:{number}"
        if len(row) != len(header):
            yield Rejected(place, f"{len(row)} columns in place of {len(header)}")
            continue
        values = dict(zip(header, row, strict=True))
        yield Picture(place, _label(values["emotion"], place), values["pixels"], official=_part(values["Usage"], place))


def _label(code: str, place: str) -> str:
    if code.strip() not in [str(number) for number in range(len(CODES))]:
        raise InputError(f"{place}: emotion {code!r} is unknown; FER2013 has 0 (angry) to 6 (neutral)")
    return CODES[int(code)]


def _part(usage: str, place: str) -> str:
    if usage.strip() not in PARTS:
        raise InputError(f"{place}: Usage {usage!r} is unknown; FER2013 has {', '.join(PARTS)}")
    return PARTS[usage.strip()]
