"""FER2013: faces found by web search, 48×48 grey (Goodfellow et al., 2013), as a table or as folders."""

import csv
import re
from collections.abc import Iterator

from stages.base.errors import InputError
from stages.datasets.archive import Archive, Member
from stages.datasets.labels import harmonise
from stages.datasets.picture import Picture, Rejected

LAYOUT = "fer2013.csv (emotion,pixels,Usage) or {train,test}/<emotion>/Training_3908.jpg"
CODES = ("anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral")
PARTS = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
PUBLISHED = {
    "train": dict(zip(CODES, (3995, 436, 4097, 7215, 4830, 3171, 4965))),
    "val": dict(zip(CODES, (467, 56, 496, 895, 653, 415, 607))),
    "test": dict(zip(CODES, (491, 55, 528, 879, 594, 416, 626))),
}
NAME = re.compile(rf"([^/]+)/({'|'.join(PARTS)})_\d+\.jpg$")
crop = None


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Label: the code or the folder. Official part: `Usage`, or the first word of the file's name."""
    for member in archive:
        if found := NAME.search(member.name):
            emotion, usage = found.groups()
            yield Picture(member.name, harmonise(emotion, member.name), member.read(), official=PARTS[usage])
        elif member.name.endswith(".csv"):
            yield from _rows(member)
        else:
            yield Rejected(member.name, f"not named as {LAYOUT}")


def _rows(member: Member) -> Iterator[Picture | Rejected]:
    rows = csv.reader(member.lines())
    header = [name.strip() for name in next(rows, [])]  # one distribution writes " pixels"
    if not {"emotion", "pixels", "Usage"} <= set(header):
        yield Rejected(member.name, "a table without the columns emotion, pixels and Usage")
        return
    for number, row in enumerate(rows, start=2):
        where = f"{member.name}:{number}"
        if len(row) != len(header):
            yield Rejected(where, f"{len(row)} columns in place of {len(header)}")
            continue
        values = dict(zip(header, row))
        yield Picture(where, _label(values["emotion"], where), values["pixels"], official=_part(values["Usage"], where))


def _label(code: str, where: str) -> str:
    if code.strip() not in [str(number) for number in range(len(CODES))]:
        raise InputError(f"{where}: emotion {code!r} is unknown; FER2013 has 0 (angry) to 6 (neutral)")
    return CODES[int(code)]


def _part(usage: str, where: str) -> str:
    if usage.strip() not in PARTS:
        raise InputError(f"{where}: Usage {usage!r} is unknown; FER2013 has {', '.join(PARTS)}")
    return PARTS[usage.strip()]
