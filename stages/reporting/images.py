"""Images inside a page, as data URIs."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image


def file_uri(png: Path) -> str:
    """Return a PNG file as a data URI."""
    return _data_uri(png.read_bytes())


def strip_uris(strip: Path, count: int) -> list[str]:
    """Split a strip of square faces into data URIs, because separate images can wrap on a narrow screen.

    Args:
        strip: a PNG file with faces side by side.
        count: the number of faces.
    """
    with Image.open(strip) as image:
        side = image.height
        return [_image_uri(image.crop((left, 0, left + side, side))) for left in range(0, count * side, side)]


def thumbnail_uri(face: np.ndarray, side: int) -> str:
    """Return a face, uint8 H×W or H×W×3, as a data URI; a face larger than `side` pixels is reduced to it."""
    image = Image.fromarray(face)
    image.thumbnail((side, side))
    return _image_uri(image)


def _image_uri(image: Image.Image) -> str:
    """Return an image as a data URI, in PNG format."""
    png = BytesIO()
    image.save(png, "PNG", optimize=True)
    return _data_uri(png.getvalue())


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + b64encode(png).decode()
