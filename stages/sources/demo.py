"""Demo archives: faces drawn by this project, packed exactly as each real data set is distributed.

They show nobody, and figures measured on them say nothing about people: they are for trying the pipeline without an
account, a licence or a network. The defects that real data sets have are planted at known places (`PLANTED`).
"""

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from stages.base.errors import InputError
from stages.sources.drawing.shots import FER2013_EMOTIONS, RAFDB_EMOTIONS, SHOTS, Shot
from stages.sources.drawing.studio import VERSION, photograph

# (part, emotion, n) is the n-th picture of an emotion in an official part ("" where there are none). What stands there
# instead: the very picture of another place, a black picture, or the first half of the file (of the row, in a CSV).
PLANTED = {
    "ck48": {
        ("", "sadness", 3): ("", "sadness", 0),
        ("", "disgust", 0): ("", "anger", 0),
    },
    "jaffe": {
        ("", "happy", 1): "cut",
    },
    "sfew": {
        ("Train", "surprise", 0): ("Train", "fear", 0),
        ("Train", "neutral", 0): "cut",
        ("Val", "happy", 0): ("Train", "happy", 0),
        ("Val", "fear", 0): "black",
        ("Val", "neutral", 0): "black",
        ("Val", "sadness", 0): "black",
    },
    "fer2013": {
        ("Training", "happy", 1): ("Training", "happy", 0),
        ("Training", "fear", 0): ("Training", "surprise", 0),
        ("Training", "neutral", 0): "black",
        ("Training", "neutral", 1): "cut",
        ("PublicTest", "sadness", 0): ("Training", "sadness", 0),
        ("PrivateTest", "anger", 0): ("Training", "anger", 0),
    },
    "rafdb": {
        ("train", "happy", 1): ("train", "happy", 0),
        ("train", "disgust", 0): ("train", "anger", 0),
        ("train", "neutral", 0): "cut",
        ("test", "neutral", 0): "black",
        ("test", "surprise", 0): ("train", "surprise", 0),
    },
}


def fetch(dataset: str, settings, folder: Path) -> dict:
    """Write a demo archive of `dataset` into the existing, empty `folder`.

    Its bytes depend on nothing but the data set, `settings` and the versions of Pillow and NumPy.

    Args:
        dataset: ck48, jaffe, sfew, fer2013 or rafdb.
        settings: about how many `faces` to draw, at least 60; for fer2013 also its `layout`, "csv" or "folders".

    Returns:
        The archive's provenance: source, from, version, licence, drawn.

    Raises:
        InputError: there is no demo of such a data set.

    """
    if dataset not in SHOTS:
        raise InputError(f"there is no demo of a data set {dataset!r}: choose from {', '.join(SHOTS)}")
    shots = SHOTS[dataset](settings.faces)
    drawn = _draw(dataset, shots)
    members = _table(drawn) if dataset == "fer2013" and settings.layout == "csv" else _pictures(drawn)
    if dataset == "rafdb":
        members = chain(members, _label_lists(shots))
    with zipfile.ZipFile(folder / f"{dataset}.zip", "w", zipfile.ZIP_STORED) as archive:
        for name, content in members:
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.create_system, member.external_attr = 3, 0o644 << 16  # as on Unix, whatever the system
            archive.writestr(member, content)
    return {
        "source": "demo",
        "from": "drawn by this project",
        "version": VERSION,
        "licence": "CC0-1.0 (public domain)",
        "drawn": True,
    }


def _draw(dataset: str, shots: list[Shot]) -> Iterator[tuple[Shot, bytes, bool]]:
    """Each shot, its picture file, and whether to keep but half of it."""
    places, seen = {}, Counter()
    for shot in shots:
        kind = (shot.part, shot.emotion)
        places[*kind, seen[kind]] = shot
        seen[kind] += 1
    for place, shot in tqdm(places.items(), desc=f"draw {dataset}", unit="face", disable=None):
        planted = PLANTED[dataset].get(place)
        shown = places[planted] if isinstance(planted, tuple) else shot
        pixels = photograph(dataset, shown.who, shown.sequence, shown.frame, shown.emotion)
        if planted == "black":
            pixels = np.zeros_like(pixels)
        yield shot, _encode(pixels, shot.name), planted == "cut"


def _encode(pixels: np.ndarray, name: str) -> bytes:
    """The file of a picture, in the format that its name ends in."""
    picture, file = Image.fromarray(pixels), io.BytesIO()
    match name.rsplit(".", 1)[1]:
        case "png":  # without the search for repetitions, whose outcome zlib leaves open
            picture.save(file, "PNG", compress_type=zlib.Z_HUFFMAN_ONLY)
        case "tiff":
            if "/KM." in name or "/KA.AN1." in name:
                picture = Image.fromarray(pixels).convert("P")  # palette pictures, as in the real archive
            picture.save(file, "TIFF")
        case "jpg":
            picture.save(file, "JPEG", quality=95 if picture.mode == "L" else 75)
    return file.getvalue()


def _pictures(drawn: Iterator[tuple[Shot, bytes, bool]]) -> Iterator[tuple[str, bytes]]:
    """A member a picture."""
    for shot, picture, cut in drawn:
        yield shot.name, picture[: len(picture) // 2] if cut else picture


def _label_lists(shots: list[Shot]) -> Iterator[tuple[str, bytes]]:
    """RAF-DB's two lists of labels."""
    for part in ("train", "test"):
        listed = [shot for shot in shots if shot.part == part]
        rows = (f"{Path(shot.name).name},{RAFDB_EMOTIONS.index(shot.emotion) + 1}" for shot in listed)
        yield f"{part}_labels.csv", "\n".join(["image,label", *rows, ""]).encode()


def _table(drawn: Iterator[tuple[Shot, bytes, bool]]) -> Iterator[tuple[str, bytes]]:
    """FER2013's one table, a row a picture: the pixels of the very files of the other layout."""
    rows = ["emotion,pixels,Usage"]
    for shot, picture, cut in drawn:
        pixels = Image.open(io.BytesIO(picture)).tobytes()
        pixels = pixels[: len(pixels) // 2] if cut else pixels
        rows.append(f"{FER2013_EMOTIONS.index(shot.emotion)},{' '.join(map(str, pixels))},{shot.part}")
    yield "fer2013.csv", "\n".join([*rows, ""]).encode()
