"""SFEW 2.0: faces out of films, aligned (Dhall et al., 2015); the labels of its own test part are withheld.

The counts are those of the aligned faces as they are passed on; the paper counts 958 and 436.
"""

import re
from collections.abc import Iterator

from stages.datasets.archive import Archive
from stages.datasets.labels import harmonise
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
NAME = re.compile(r"(?:^|/)(Train|Val)/([^/]+)/([^/_-]+)[_-][^/]*\d{8}\.png$", re.IGNORECASE)
PARTS = {"train": "train", "val": "test"}
crop = None


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Label: the folder. Sequence: the film, since its faces share people and light. Val is the test part.

    The film is the first word of the name, so that all films of one series, with one cast, count as one.
    """
    for member in archive:
        if found := NAME.search(member.name):
            part, emotion, film = found.groups()
            label = harmonise(emotion, member.name)
            yield Picture(member.name, label, member.read(), sequence=film, official=PARTS[part.lower()])
        elif member.name.endswith((".pckl", ".pkl", ".pickle")):
            yield Rejected(member.name, "a pickle can run code when it is read, so it is not; give the pictures")
        else:
            yield Rejected(member.name, f"not named as {LAYOUT}")
