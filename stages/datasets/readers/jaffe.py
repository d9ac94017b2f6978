"""JAFFE: ten Japanese women who pose seven expressions; head and shoulders, 256×256 pixels, grey.

Lyons et al., "Coding facial expressions with Gabor wavelets", IEEE International Conference on Automatic Face and
Gesture Recognition 1998.
"""

from collections.abc import Iterator

from stages.archives.archive import Archive
from stages.base.errors import InputError
from stages.datasets.layout import FILE_NAMES, reject, told_label
from stages.datasets.picture import Picture, Rejected

LAYOUT = "jaffedbase/KA.AN1.39.tiff; KA is the person and AN the emotion"
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


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Read the images of JAFFE. The faces are cut out of them.

    Label: the two letters after the first dot of the file name (`AN`). Subject: the two letters before it (`KA`).
    Sequence and official part: none.

    Args:
        archive: the data set as distributed.

    Yields:
        Each image as a `Picture`, and each other member as `Rejected`.

    Raises:
        InputError: a picture lies in a folder of another emotion than its name tells, or the archive is damaged.
    """
    for member in archive:
        if rejected := reject(member, "jaffe"):
            yield rejected
        elif match := FILE_NAMES["jaffe"].match(member.file):
            subject, label = match[1].upper(), CODES[match[2].upper()]
            if told_label(member) not in (None, label):
                raise InputError(f"{member.name}: named as {label}, but in the folder of {told_label(member)}")
            yield Picture(member.name, label, member.read(), subject, crop=True)
        else:
            yield Rejected(member.name, f"no person is known: not named as {LAYOUT}", lost=True)
