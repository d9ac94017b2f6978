"""The images of each demo archive: their names and what they show.

Names follow the layout of the real archives. The share of each emotion in each official part follows the real counts.
"""

from typing import NamedTuple

from stages.sources.drawing.rendering import seeded_generator


class ImageSpec(NamedTuple):
    """One image of a demo archive.

    Attributes:
        name: path within the archive.
        part: official part, or "" if the data set has none.
        emotion: the emotion shown.
        person: identifier of the person within the data set.
        sequence: identifier of the sequence within the data set.
        frame: number of the frame within the sequence, from 0.
    """

    name: str
    part: str
    emotion: str
    person: str
    sequence: str
    frame: int = 0


CK48_EMOTIONS = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
SFEW_EMOTIONS = ("anger", "disgust", "fear", "happy", "neutral", "sadness", "surprise")
FER2013_EMOTIONS = (
    "anger",
    "disgust",
    "fear",
    "happy",
    "sadness",
    "surprise",
    "neutral",
)  # the label codes count from 0
RAFDB_EMOTIONS = ("surprise", "fear", "disgust", "happy", "sadness", "anger", "neutral")  # the label codes count from 1

# Data set → part → emotion → number of real images; for CK+48, number of sequences of three images
REAL_COUNTS: dict[str, dict[str, dict[str, int]]] = {
    "ck48": {
        "": dict(zip(CK48_EMOTIONS, (45, 18, 59, 25, 69, 28, 83), strict=True)),
    },
    "sfew": {
        "Train": dict(zip(SFEW_EMOTIONS, (170, 50, 76, 179, 141, 151, 93), strict=True)),
        "Val": dict(zip(SFEW_EMOTIONS, (77, 23, 46, 72, 84, 73, 56), strict=True)),
    },
    "fer2013": {
        "Training": dict(zip(FER2013_EMOTIONS, (3995, 436, 4097, 7215, 4830, 3171, 4965), strict=True)),
        "PublicTest": dict(zip(FER2013_EMOTIONS, (467, 56, 496, 895, 653, 415, 607), strict=True)),
        "PrivateTest": dict(zip(FER2013_EMOTIONS, (491, 55, 528, 879, 594, 416, 626), strict=True)),
    },
    "rafdb": {
        "train": dict(zip(RAFDB_EMOTIONS, (1290, 281, 717, 4772, 1982, 705, 2524), strict=True)),
        "test": dict(zip(RAFDB_EMOTIONS, (329, 74, 160, 1185, 478, 162, 680), strict=True)),
    },
}
SUBJECTS_PER_SEQUENCE = 118 / 327  # in CK+48
WOMEN = ("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM")
JAFFE_CODES = {
    "neutral": "NE", "happy": "HA", "sadness": "SA", "surprise": "SU", "anger": "AN", "disgust": "DI", "fear": "FE",
}  # fmt: skip
ADJECTIVES = {"anger": "angry", "sadness": "sad"}  # in the folder names of SFEW and FER2013
FILMS = [
    first + second
    for first in ("Silent", "Paper", "Second", "Winter", "Borrowed", "Northern")
    for second in ("Harbour", "Garden", "Letter", "Summer", "Orchard", "Station")
]
FILMS_BY_PART = {"Train": FILMS[:24], "Val": FILMS[24:]}


def emotions(dataset: str, total: int) -> dict[str, list[str]]:
    """Return part → the emotion of each of its images, shuffled.

    There are about `total` images with the proportions of the real data set, and at least two for each part and
    emotion.
    """
    real = REAL_COUNTS[dataset]
    scale = total / sum(sum(counts.values()) for counts in real.values())
    shuffled = {}
    for part, counts in real.items():
        ordered = [emotion for emotion, count in counts.items() for _ in range(max(round(scale * count), 2))]
        shuffled[part] = [ordered[i] for i in seeded_generator(dataset, part, "order").permutation(len(ordered))]
    return shuffled


def ck48(faces: int) -> list[ImageSpec]:
    """Return sequences of three frames; each subject has about three, with different emotions."""
    sequence_emotions = sorted(emotions("ck48", round(faces / 3))[""])
    subjects = round(len(sequence_emotions) * SUBJECTS_PER_SEQUENCE)
    images: list[ImageSpec] = []
    for i, emotion in enumerate(sequence_emotions):
        person, number = f"S{10 + i % subjects:03d}", i // subjects + 1
        first = int(seeded_generator("ck48", person, f"{number}").integers(9, 40))
        for frame in range(3):
            name = f"CK+48/{emotion}/{person}_{number:03d}_{first + frame:08d}.png"
            images.append(ImageSpec(name, "", emotion, person, f"{person}_{number:03d}", frame))
    return images


def jaffe(faces: int) -> list[ImageSpec]:
    """Return images of ten women, each with the seven emotions in turn."""
    images: list[ImageSpec] = []
    for i in range(faces):
        person, emotion = WOMEN[i % 10], list(JAFFE_CODES)[i % 7]
        take = f"{person}.{JAFFE_CODES[emotion]}{i // 70 + 1}"
        images.append(ImageSpec(f"jaffedbase/{take}.{i + 1}.tiff", "", emotion, person, take))
    return images


def sfew(faces: int) -> list[ImageSpec]:
    """Return images from films with three actors each; each film is in one part only."""
    images: list[ImageSpec] = []
    for part, part_emotions in emotions("sfew", faces).items():
        films = FILMS_BY_PART[part]
        for i, emotion in enumerate(part_emotions):
            film, rng = films[i % len(films)], seeded_generator("sfew", part, f"{i}")
            time, frame = 1000 * (i + 1) + rng.integers(1000), rng.integers(100)
            folder = ADJECTIVES.get(emotion, emotion).capitalize()
            name = f"{part}/{folder}/{film}_{40 * time:09d}_{frame:08d}.png"
            images.append(ImageSpec(name, part, emotion, f"{film}/{rng.integers(3)}", f"{part}/{i}"))
    return images


def fer2013(faces: int) -> list[ImageSpec]:
    """Return images of different persons; PublicTest and PrivateTest share the folder `test`."""
    images: list[ImageSpec] = []
    for part, part_emotions in emotions("fer2013", faces).items():
        for emotion in part_emotions:
            number = f"{len(images) + 1}"
            folder = "train" if part == "Training" else "test"
            name = f"{folder}/{ADJECTIVES.get(emotion, emotion)}/{part}_{number}.jpg"
            images.append(ImageSpec(name, part, emotion, number, number))
    return images


def rafdb(faces: int) -> list[ImageSpec]:
    """Return images of different persons, numbered within each part: five digits in train, four in test."""
    images: list[ImageSpec] = []
    for part, part_emotions in emotions("rafdb", faces).items():
        for i, emotion in enumerate(part_emotions, start=1):
            number = f"{i:05d}" if part == "train" else f"{i:04d}"
            name = f"DATASET/{part}/{RAFDB_EMOTIONS.index(emotion) + 1}/{part}_{number}_aligned.jpg"
            images.append(ImageSpec(name, part, emotion, f"{part}/{i}", f"{part}/{i}"))
    return images


IMAGE_LISTS = {"ck48": ck48, "jaffe": jaffe, "sfew": sfew, "fer2013": fer2013, "rafdb": rafdb}
