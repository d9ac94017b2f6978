"""SFEW 2.0: frames of films, aligned to the face, 143×181 pixels, in colour.

Dhall et al., "Video and image based emotion recognition challenges in the wild: EmotiW 2015", ICMI 2015. The paper
counts 958 training and 436 validation images; `PUBLISHED` counts the aligned faces in the distributed archive. The
labels of the test images have not been published.
"""

import re
from collections.abc import Iterator

from stages.archives.archive import Archive
from stages.datasets.layout import folder_label, reject
from stages.datasets.parts import nearest_part
from stages.datasets.picture import Picture, Rejected

LAYOUT = "{Train,Val}/<Emotion>/<Movie>_000519240_00000005.png"
PUBLISHED = {
    "train": {
        "anger": 170,
        "disgust": 50,
        "fear": 76,
        "happy": 179,
        "neutral": 141,
        "sadness": 151,
        "surprise": 93,
    },
    "test": {"anger": 77, "disgust": 23, "fear": 46, "happy": 72, "neutral": 84, "sadness": 73, "surprise": 56},
}
FILM = re.compile(r"([^/_-]+)[_-].*\d{6,}")  # the name goes on with the time and the number of the frame


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Read the images of SFEW.

    Label: name of the folder. Subject: none. Sequence: the film, which is the first word of the file name, because the
    images of a film share actors and lighting; films of one series start with the same word and count as one. Official
    part: `Train` is train and `Val` is test, since the labels of SFEW's own test part have not been published.

    Args:
        archive: the data set as distributed.

    Yields:
        Each image as a `Picture`, and each other member as `Rejected`.

    Raises:
        InputError: the folder of an image is not an emotion, or the archive is damaged.
    """
    for member in archive:
        if rejected := reject(member, "sfew"):
            yield rejected
            continue
        part = nearest_part(member.folders)
        film = FILM.match(member.file)
        if part == "test":
            yield Rejected(member.name, "of SFEW's own test part, whose labels have not been published")
        elif (label := folder_label(member)) is None or part is None:
            yield Rejected(member.name, f"in no folder of a part and an emotion: not named as {LAYOUT}", lost=True)
        elif film is None:
            yield Rejected(member.name, f"no film is known: not named as {LAYOUT}", lost=True)
        else:
            official = "test" if part == "val" else "train"
            yield Picture(member.name, label, member.read(), sequence=film[1], official=official)
