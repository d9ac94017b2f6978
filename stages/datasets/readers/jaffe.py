"""JAFFE: ten Japanese women who pose seven expressions; head and shoulders, 256×256 pixels, grey.

Lyons et al., "Coding facial expressions with Gabor wavelets", IEEE International Conference on Automatic Face and
Gesture Recognition 1998.
"""

import re
from collections.abc import Iterator

from stages.datasets.archive import Archive
from stages.datasets.crop import crop_face
from stages.datasets.picture import Crop, Picture, Rejected

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
FILE_NAME = re.compile(rf"(?:^|/)([A-Z]{{2}})\.({'|'.join(CODES)})\d\.\d+\.tiff?$")
crop: Crop | None = crop_face


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Read the images of JAFFE.

    Label: the two letters after the first dot of the file name (`AN`). Subject: the two letters before it (`KA`).
    Sequence and official part: none.

    Args:
        archive: the data set as distributed.

    Yields:
        Each image as a `Picture`, and each other member as `Rejected`.

    Raises:
        InputError: the archive is damaged.
    """
    for member in archive:
        if match := FILE_NAME.search(member.name):
            subject, code = match.groups()
            yield Picture(member.name, CODES[code], member.read(), subject)
        else:
            yield Rejected(member.name, f"not named as {LAYOUT}")
