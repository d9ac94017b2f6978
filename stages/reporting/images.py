"""Pictures of faces inside the page, as data URIs."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path

from PIL import Image


def embedded(png: Path) -> str:
    """A PNG file as a data URI."""
    return _uri(png.read_bytes())


def faces_of(strip: Path, count: int) -> list[str]:
    """The `count` square faces that stand side by side in a PNG file, each as a data URI: apart, they wrap."""
    with Image.open(strip) as picture:
        side = picture.height
        faces = []
        for left in range(0, count * side, side):
            png = BytesIO()
            picture.crop((left, 0, left + side, side)).save(png, "PNG", optimize=True)
            faces.append(_uri(png.getvalue()))
        return faces


def _uri(png: bytes) -> str:
    return "data:image/png;base64," + b64encode(png).decode()
