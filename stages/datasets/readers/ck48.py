"""CK+48: the last three frames of each labelled sequence of CK+, cropped to the face, 48×48 pixels, grey.

Lucey et al., "The Extended Cohn-Kanade Dataset (CK+): A complete dataset for action unit and emotion-specified
expression", CVPR Workshops 2010.
"""

import re
from collections.abc import Iterator

from stages.datasets.archive import Archive
from stages.datasets.labels import harmonise
from stages.datasets.picture import Crop, Picture, Rejected

LAYOUT = "CK+48/<emotion>/S010_004_00000017.png"
PUBLISHED = {
    "": {"anger": 135, "contempt": 54, "disgust": 177, "fear": 75, "happy": 207, "sadness": 84, "surprise": 249},
}
FILE_NAME = re.compile(r"([^/]+)/((S\d+)_\d+)_\d+\.png$")
crop: Crop | None = None


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Read the images of CK+48.

    Label: name of the folder. Subject: first part of the file name (`S010`). Sequence: first two parts of the file
    name (`S010_004`). Official part: none.

    Args:
        archive: the data set as distributed.

    Yields:
        Each image as a `Picture`, and each other member as `Rejected`.

    Raises:
        InputError: the folder of an image is not an emotion, or the archive is damaged.
    """
    for member in archive:
        if match := FILE_NAME.search(member.name):
            emotion, sequence, subject = match.groups()
            yield Picture(member.name, harmonise(emotion, member.name), member.read(), subject, sequence)
        else:
            yield Rejected(member.name, f"not named as {LAYOUT}")
