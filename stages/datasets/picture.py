"""From a picture as it is distributed to a face of the pipeline's size and channels."""

import hashlib
import warnings
from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "PPM")
PICTURE_PIXELS = 2**24  # a header can claim any size: no face crop comes near this one

Crop = Callable[[Image.Image], tuple[Image.Image, str]]


class Picture(NamedTuple):
    """One labelled picture of a data set, still encoded.

    `content` is an image file's bytes, or the text of a table's row of square grey pixels, 0 to 255; None where it
    was too large to read. `official` is the data set's own part: train, val, test, or empty where it has none.
    """

    file: str
    label: str
    content: bytes | str | None
    subject: str = ""
    sequence: str = ""
    official: str = ""


class Rejected(NamedTuple):
    """A member of an archive that is no face of the table, and why."""

    file: str
    reason: str


class Face(NamedTuple):
    """A picture made ready: `pixels` are its bytes, uint8 H×W or H×W×3 row by row (bytes travel faster than arrays).

    `crop` says how the face was cut out; `sha256` is of the decoded picture, before crop and resize.
    """

    file: str
    label: str
    subject: str
    sequence: str
    official: str
    crop: str
    sha256: str
    pixels: bytes


def prepare(picture: Picture, crop: Crop | None, size: int, channels: int) -> Face | Rejected:
    """Decode a picture, crop it, and resize it with antialiasing to size×size in 1 (grey) or 3 (RGB) channels."""
    file, label, content, *origin = picture
    try:
        image = _from_text(content) if isinstance(content, str) else _from_file(content)
    except ValueError as error:
        return Rejected(file, str(error))
    image = image.convert("L" if channels == 1 else "RGB")
    sha256 = hashlib.sha256(image.tobytes()).hexdigest()
    image, how = crop(image) if crop else (image, "")
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    return Face(file, label, *origin, how, sha256, image.tobytes())


def _from_file(content: bytes | None) -> Image.Image:
    if content is None:
        raise ValueError("larger than any picture of a face")
    try:
        image = Image.open(BytesIO(content), formats=FORMATS)
        if image.width * image.height > PICTURE_PIXELS:
            raise ValueError(f"a picture of {image.width}x{image.height} pixels is too large")
        image.load()
    except (OSError, SyntaxError, Image.DecompressionBombError):
        raise ValueError("not a picture, or cut short") from None
    return image


def _from_text(content: str) -> Image.Image:
    with warnings.catch_warnings(action="error"):  # NumPy only warns where the text goes on with what is no number
        try:
            numbers = np.fromstring(content, dtype=np.int64, sep=" ")
        except (DeprecationWarning, ValueError):
            raise ValueError("its pixels are not all whole numbers") from None
    pixels = numbers.astype(np.uint8)
    if not np.array_equal(pixels, numbers):
        raise ValueError("its pixels are not all from 0 to 255")
    side = int(len(pixels) ** 0.5)
    if side == 0 or side * side != len(pixels):
        raise ValueError(f"{len(pixels)} pixels are not a square")
    return Image.fromarray(pixels.reshape(side, side))
