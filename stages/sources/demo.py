"""Demo archives: drawn faces, in the archive layouts of the real data sets.

With them the pipeline runs without an account, a licence or a network. They show no real persons, and metrics measured
on them say nothing about real faces. `DEFECTS` lists the defects that are planted in them, as real data sets have them.
"""

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from stages.base.errors import InputError
from stages.base.progress import progress
from stages.params.sources import Demo
from stages.sources.drawing.contents import FER2013_EMOTIONS, IMAGE_LISTS, RAFDB_EMOTIONS, ImageSpec
from stages.sources.drawing.rendering import VERSION, render
from stages.sources.provenance import Provenance

Place = tuple[str, str, int]
"""Official part ("" if there is none), emotion, and number of the image among those of this part and emotion."""

# What replaces the image at a place: a copy of the image at another place, "black" for a black image, or "cut" for the
# first half of the file (in a CSV file, of the pixels).
DEFECTS: dict[str, dict[Place, Place | str]] = {
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


class DrawnFile(NamedTuple):
    """An image of a demo archive: what it shows, its encoded bytes, and whether only the first half is stored."""

    spec: ImageSpec
    content: bytes
    truncated: bool


def fetch(dataset: str, settings: Demo, folder: Path) -> Provenance:
    """Draw the images of a demo archive and write it into a folder.

    The bytes depend only on the data set, the settings and the versions of Pillow and NumPy.

    Args:
        dataset: ck48, jaffe, sfew, fer2013 or rafdb.
        settings: `faces`, the approximate number of images; for fer2013 also `layout`, "csv" or "folders".
        folder: existing, empty folder.

    Returns:
        The provenance. `version` is the version of the drawing, and `date` is None.

    Raises:
        InputError: there is no demo of this data set.
    """
    if dataset not in IMAGE_LISTS:
        raise InputError(f"there is no demo of the data set {dataset!r}; choose one of {', '.join(IMAGE_LISTS)}")
    specs = IMAGE_LISTS[dataset](settings.faces)
    files = _draw(dataset, specs)
    members = _table_member(files) if dataset == "fer2013" and settings.layout == "csv" else _image_members(files)
    if dataset == "rafdb":
        members = chain(members, _label_list_members(specs))
    with zipfile.ZipFile(folder / f"{dataset}.zip", "w", zipfile.ZIP_STORED) as archive:
        for name, content in members:
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.create_system, member.external_attr = 3, 0o644 << 16  # a Unix file, also on Windows
            archive.writestr(member, content)
    return {
        "source": "demo",
        "from": "drawn by this project",
        "version": VERSION,
        "licence": "CC0-1.0 (public domain)",
        "drawn": True,
        "date": None,
    }


def _draw(dataset: str, specs: list[ImageSpec]) -> Iterator[DrawnFile]:
    """Draw and encode every image, with the planted defects."""
    places: dict[Place, ImageSpec] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for spec in specs:
        group = (spec.part, spec.emotion)
        places[*group, counts[group]] = spec
        counts[group] += 1
    for place, spec in progress(places.items(), desc=f"draw {dataset}", unit="face"):
        defect = DEFECTS[dataset].get(place)
        shown = places[defect] if isinstance(defect, tuple) else spec
        pixels = render(dataset, shown.person, shown.sequence, shown.frame, shown.emotion)
        if defect == "black":
            pixels = np.zeros_like(pixels)
        yield DrawnFile(spec, _encode(pixels, spec.name), defect == "cut")


def _encode(pixels: np.ndarray, name: str) -> bytes:
    """Return the bytes of an image file in the format of its file name."""
    image, file = Image.fromarray(pixels), io.BytesIO()
    match name.rsplit(".", 1)[1]:
        case "png":  # without string matching, which differs between zlib versions
            image.save(file, "PNG", compress_type=zlib.Z_HUFFMAN_ONLY)
        case "tiff":
            if "/KM." in name or "/KA.AN1." in name:
                image = Image.fromarray(pixels).convert("P")  # palette images, as in the real archive
            image.save(file, "TIFF")
        case "jpg":
            image.save(file, "JPEG", quality=95 if image.mode == "L" else 75)
    return file.getvalue()


def _image_members(files: Iterable[DrawnFile]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of one member for each image."""
    for spec, content, truncated in files:
        yield spec.name, content[: len(content) // 2] if truncated else content


def _label_list_members(specs: list[ImageSpec]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of RAF-DB's two label lists."""
    for part in ("train", "test"):
        listed = [spec for spec in specs if spec.part == part]
        rows = (f"{Path(spec.name).name},{RAFDB_EMOTIONS.index(spec.emotion) + 1}" for spec in listed)
        yield f"{part}_labels.csv", "\n".join(["image,label", *rows, ""]).encode()


def _table_member(files: Iterable[DrawnFile]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of FER2013's table; its pixels are those of the image files."""
    rows = ["emotion,pixels,Usage"]
    for spec, content, truncated in files:
        pixels = Image.open(io.BytesIO(content)).tobytes()
        pixels = pixels[: len(pixels) // 2] if truncated else pixels
        rows.append(f"{FER2013_EMOTIONS.index(spec.emotion)},{' '.join(map(str, pixels))},{spec.part}")
    yield "fer2013.csv", "\n".join([*rows, ""]).encode()
