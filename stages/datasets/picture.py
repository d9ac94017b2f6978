"""Images as they are distributed, and their conversion to faces of the pipeline's size and channels."""

import hashlib
import warnings
from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "PPM")
MAX_PIXELS = 2**24  # checked before decoding: a small file can claim any size

Crop = Callable[[Image.Image], tuple[Image.Image, str]]
"""Cuts the face out of an image; returns it and the value of `Face.crop`."""


class Picture(NamedTuple):
    """One labelled image of a data set, not yet decoded.

    Attributes:
        file: path within the archive; for a table, its name and line ("fer2013.csv:2").
        label: one of `LABELS`.
        content: the bytes of an image file, or a text with the grey levels (0 to 255) of a square image, row by row
            and separated by spaces; None if the file is too large to read.
        subject: identifier of the person, or "" if unknown.
        sequence: identifier of the video or film, or "" if unknown.
        official: the data set's own part, "train", "val" or "test"; "" if it has none.
    """

    file: str
    label: str
    content: bytes | str | None
    subject: str = ""
    sequence: str = ""
    official: str = ""


class Rejected(NamedTuple):
    """A member of an archive that does not become a face, and the reason."""

    file: str
    reason: str


class Face(NamedTuple):
    """A decoded, cropped and resized picture.

    Attributes:
        file: as in `Picture`; so are label, subject, sequence and official.
        crop: how the face was cut out: "detected", "fallback", or "" if the image was not cropped.
        sha256: hash of the decoded pixels before cropping and resizing.
        pixels: uint8 values, H×W (grey) or H×W×3 (RGB), in C order; bytes are faster to send between processes than
            arrays.
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
    """Decode a picture, crop it to the face and resize it (bicubic, with antialiasing).

    Args:
        picture: the picture.
        crop: cuts the face out of an image; None to use the entire image.
        size: side of the face in pixels.
        channels: 1 (grey) or 3 (RGB).

    Returns:
        The face, or the reason why the picture cannot be decoded.
    """
    try:
        image = _from_text(picture.content) if isinstance(picture.content, str) else _from_file(picture.content)
    except ValueError as error:
        return Rejected(picture.file, str(error))
    image = image.convert("L" if channels == 1 else "RGB")
    sha256 = hashlib.sha256(image.tobytes()).hexdigest()
    image, crop_method = crop(image) if crop else (image, "")
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    return Face(
        picture.file,
        picture.label,
        picture.subject,
        picture.sequence,
        picture.official,
        crop_method,
        sha256,
        image.tobytes(),
    )


def _from_file(content: bytes | None) -> Image.Image:
    if content is None:
        raise ValueError("larger than any picture of a face")
    try:
        image: Image.Image = Image.open(BytesIO(content), formats=FORMATS)
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"a picture of {image.width}x{image.height} pixels is too large")
        image.load()
    except (OSError, SyntaxError, Image.DecompressionBombError):
        raise ValueError("not a picture, or cut short") from None
    return image


def _from_text(content: str) -> Image.Image:
    with warnings.catch_warnings(action="error"):  # NumPy only warns about text that is not a number
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
