"""SFEW 2.0: frames of films, aligned to the face, 143×181 pixels, in colour.

Dhall et al., "Video and image based emotion recognition challenges in the wild: EmotiW 2015", ICMI 2015. The paper
counts 958 training and 436 validation images; `PUBLISHED` counts the aligned faces in the distributed archive. The
labels of the test images have not been published.
"""

import re
from collections.abc import Iterator

from stages.datasets.archive import Archive
from stages.datasets.labels import harmonise
from stages.datasets.picture import Crop, Picture, Rejected

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
FILE_NAME = re.compile(r"(?:^|/)(Train|Val)/([^/]+)/([^/_-]+)[_-][^/]*\d{8}\.png$", re.IGNORECASE)
PARTS = {"train": "train", "val": "test"}
crop: Crop | None = None


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
        if match := FILE_NAME.search(member.name):
            part, emotion, film = match.groups()
            label = harmonise(emotion, member.name)
            yield Picture(member.name, label, member.read(), sequence=film, official=PARTS[part.lower()])
        elif member.name.endswith((".pckl", ".pkl", ".pickle")):
            yield Rejected(member.name, "a pickle file, which could run code if it were read; provide the image files")
        else:
            yield Rejected(member.name, f"not named as {LAYOUT}")
