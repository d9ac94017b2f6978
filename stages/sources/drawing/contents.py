"""Which pictures each data set is made of: their names there, and what they show.

Names follow the real archives; how often each emotion comes in each official part follows their counts.
"""

from typing import NamedTuple

from stages.sources.drawing.studio import generator


class Shot(NamedTuple):
    """One picture: its name in the archive, its official part ("" where there is none), and what it shows."""

    name: str
    part: str
    emotion: str
    who: str
    sequence: str
    frame: int = 0


CK48_EMOTIONS = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
SFEW_EMOTIONS = ("anger", "disgust", "fear", "happy", "neutral", "sadness", "surprise")
FER2013_EMOTIONS = ("anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral")  # numbered from 0
RAFDB_EMOTIONS = ("surprise", "fear", "disgust", "happy", "sadness", "anger", "neutral")  # numbered from 1

# part → emotion → how many the real data set has; of CK+48, sequences of three pictures
REAL = {
    "ck48": {
        "": dict(zip(CK48_EMOTIONS, (45, 18, 59, 25, 69, 28, 83))),
    },
    "sfew": {
        "Train": dict(zip(SFEW_EMOTIONS, (170, 50, 76, 179, 141, 151, 93))),
        "Val": dict(zip(SFEW_EMOTIONS, (77, 23, 46, 72, 84, 73, 56))),
    },
    "fer2013": {
        "Training": dict(zip(FER2013_EMOTIONS, (3995, 436, 4097, 7215, 4830, 3171, 4965))),
        "PublicTest": dict(zip(FER2013_EMOTIONS, (467, 56, 496, 895, 653, 415, 607))),
        "PrivateTest": dict(zip(FER2013_EMOTIONS, (491, 55, 528, 879, 594, 416, 626))),
    },
    "rafdb": {
        "train": dict(zip(RAFDB_EMOTIONS, (1290, 281, 717, 4772, 1982, 705, 2524))),
        "test": dict(zip(RAFDB_EMOTIONS, (329, 74, 160, 1185, 478, 162, 680))),
    },
}
SUBJECTS_PER_SEQUENCE = 118 / 327  # in CK+48
WOMEN = ("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM")
JAFFE_CODES = {
    "neutral": "NE", "happy": "HA", "sadness": "SA", "surprise": "SU", "anger": "AN", "disgust": "DI", "fear": "FE",
}  # fmt: skip
ADJECTIVES = {"anger": "angry", "sadness": "sad"}  # as SFEW and FER2013 have it
FILMS = [
    first + second
    for first in ("Silent", "Paper", "Second", "Winter", "Borrowed", "Northern")
    for second in ("Harbour", "Garden", "Letter", "Summer", "Orchard", "Station")
]
FILMS_OF = {"Train": FILMS[:24], "Val": FILMS[24:]}


def emotions(dataset: str, total: int) -> dict[str, list[str]]:
    """Part → the emotions of its pictures, shuffled: about `total`, in real proportion, at least two of each."""
    real = REAL[dataset]
    scale = total / sum(sum(counts.values()) for counts in real.values())
    shuffled = {}
    for part, counts in real.items():
        each = [emotion for emotion, count in counts.items() for _ in range(max(round(scale * count), 2))]
        shuffled[part] = [each[i] for i in generator(dataset, part, "order").permutation(len(each))]
    return shuffled


def ck48(faces: int) -> list[Shot]:
    """Sequences of three frames, about three of different emotions a subject."""
    each = sorted(emotions("ck48", round(faces / 3))[""])
    subjects = round(len(each) * SUBJECTS_PER_SEQUENCE)
    shots = []
    for i, emotion in enumerate(each):
        who, number = f"S{10 + i % subjects:03d}", i // subjects + 1
        first = int(generator("ck48", who, f"{number}").integers(9, 40))
        for frame in range(3):
            name = f"CK+48/{emotion}/{who}_{number:03d}_{first + frame:08d}.png"
            shots.append(Shot(name, "", emotion, who, f"{who}_{number:03d}", frame))
    return shots


def jaffe(faces: int) -> list[Shot]:
    """Ten women; one picture of each emotion by each, then the next ones."""
    shots = []
    for i in range(faces):
        who, emotion = WOMEN[i % 10], list(JAFFE_CODES)[i % 7]
        take = f"{who}.{JAFFE_CODES[emotion]}{i // 70 + 1}"
        shots.append(Shot(f"jaffedbase/{take}.{i + 1}.tiff", "", emotion, who, take))
    return shots


def sfew(faces: int) -> list[Shot]:
    """Films of three actors each; no film is in two parts."""
    shots = []
    for part, each in emotions("sfew", faces).items():
        films = FILMS_OF[part]
        for i, emotion in enumerate(each):
            film, chance = films[i % len(films)], generator("sfew", part, f"{i}")
            time, frame = 1000 * (i + 1) + chance.integers(1000), chance.integers(100)
            folder = ADJECTIVES.get(emotion, emotion).capitalize()
            name = f"{part}/{folder}/{film}_{40 * time:09d}_{frame:08d}.png"
            shots.append(Shot(name, part, emotion, f"{film}/{chance.integers(3)}", f"{part}/{i}"))
    return shots


def fer2013(faces: int) -> list[Shot]:
    """Everyone is somebody else; both test parts share a folder."""
    shots = []
    for part, each in emotions("fer2013", faces).items():
        for emotion in each:
            number = f"{len(shots) + 1}"
            folder = "train" if part == "Training" else "test"
            name = f"{folder}/{ADJECTIVES.get(emotion, emotion)}/{part}_{number}.jpg"
            shots.append(Shot(name, part, emotion, number, number))
    return shots


def rafdb(faces: int) -> list[Shot]:
    """Everyone is somebody else; numbered within each part, with five digits in train and four in test."""
    shots = []
    for part, each in emotions("rafdb", faces).items():
        for i, emotion in enumerate(each, start=1):
            number = f"{i:05d}" if part == "train" else f"{i:04d}"
            name = f"DATASET/{part}/{RAFDB_EMOTIONS.index(emotion) + 1}/{part}_{number}_aligned.jpg"
            shots.append(Shot(name, part, emotion, f"{part}/{i}", f"{part}/{i}"))
    return shots


SHOTS = {"ck48": ck48, "jaffe": jaffe, "sfew": sfew, "fer2013": fer2013, "rafdb": rafdb}
