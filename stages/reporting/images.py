"""Images inside a page, as data URIs."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from stages.base.tables import read_table


def read_strips(folder: Path, labels: list[str]) -> list[dict]:
    """Return the rows of strips.csv in the order of `labels`, each with the data URIs of its faces as `images`.

    Faces are cut out of their strip because separate images can wrap on a narrow screen.
    """
    columns = {"file": str, "kind": str, "name": str, "shown": int, "of": int}
    rows = read_table(folder / "strips.csv", columns).to_dict("records")
    rows.sort(key=lambda row: labels.index(row["name"]) if row["name"] in labels else len(labels))
    return [row | {"images": _square_uris(folder / row["file"], row["shown"])} for row in rows]


def read_explained(folder: Path, show_faces: bool) -> list[dict]:
    """Return the rows of faces.csv with data URIs in place of the files `face` and `map`; "" for no image."""
    texts = ("kind", "id", "dataset", "label", "prediction", "face", "map")
    rows = read_table(folder / "faces.csv", dict.fromkeys(texts, str) | {"probability": float}).to_dict("records")
    for row in rows:
        for name in ("face", "map"):
            row[name] = _data_uri((folder / row[name]).read_bytes()) if show_faces and row[name] else ""
    return rows


def thumbnail_uri(face: np.ndarray, side: int) -> str:
    """Return a face, uint8 H×W or H×W×3, as a data URI; a face larger than `side` pixels is reduced to it."""
    image = Image.fromarray(face)
    image.thumbnail((side, side))
    return _image_uri(image)


def _square_uris(strip: Path, count: int) -> list[str]:
    with Image.open(strip) as image:
        side = image.height
        return [_image_uri(image.crop((left, 0, left + side, side))) for left in range(0, count * side, side)]


def _image_uri(image: Image.Image) -> str:
    """Return an image as a data URI, in PNG format."""
    png = BytesIO()
    image.save(png, "PNG", optimize=True)
    return _data_uri(png.getvalue())


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + b64encode(png).decode()
