"""JAFFE: ten Japanese women posing seven expressions, head and shoulders (Lyons et al., 1998)."""

import re
from collections.abc import Iterator

from stages.datasets.archive import Archive
from stages.datasets.crop import crop_face
from stages.datasets.picture import Picture, Rejected

LAYOUT = "jaffedbase/KA.AN1.39.tiff"
PUBLISHED = {
    "": {"anger": 30, "disgust": 29, "fear": 32, "happy": 31, "neutral": 30, "sadness": 31, "surprise": 30},
}
CODES = {
    "AN": "anger",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happy",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}
NAME = re.compile(rf"(?:^|/)([A-Z]{{2}})\.({'|'.join(CODES)})\d\.\d+\.tiff?$")
crop = crop_face


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Label: the two letters after the first dot. Subject: the first two letters."""
    for member in archive:
        if found := NAME.search(member.name):
            subject, code = found.groups()
            yield Picture(member.name, CODES[code], member.read(), subject)
        else:
            yield Rejected(member.name, f"not named as {LAYOUT}")
