"""CK+48: the last three frames of each sequence of CK+ (Lucey et al., 2010), cropped to 48×48."""

import re
from collections.abc import Iterator

from stages.datasets.archive import Archive
from stages.datasets.labels import harmonise
from stages.datasets.picture import Picture, Rejected

LAYOUT = "CK+48/<emotion>/S010_004_00000017.png"
PUBLISHED = {
    "": {"anger": 135, "contempt": 54, "disgust": 177, "fear": 75, "happy": 207, "sadness": 84, "surprise": 249},
}
NAME = re.compile(r"([^/]+)/((S\d+)_\d+)_\d+\.png$")
crop = None


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Label: the folder. Subject: `S010`. Sequence: `S010_004`."""
    for member in archive:
        if found := NAME.search(member.name):
            emotion, sequence, subject = found.groups()
            yield Picture(member.name, harmonise(emotion, member.name), member.read(), subject, sequence)
        else:
            yield Rejected(member.name, f"not named as {LAYOUT}")
