"""Archives with given members, and the settings to read them."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stages.datasets.labels import LABELS
from stages.params.data import Data, Limits

LIMITS = Limits(gigabytes=1, expansion=100, members=100_000, rejected=10_000, unreadable=0.02)


def data(**changes: Any) -> Data:
    """The section `data` with all labels, except for `changes`."""
    return Data(
        **{"source": "local", "datasets": ["ck48"], "labels": list(LABELS), "size": 48, "channels": 1}
        | {"accept_missing": [], "limits": LIMITS}
        | changes
    )


def zipped(path: Path, members: Mapping[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as out:
        for name, content in members.items():
            out.writestr(name, content)
    return path


def tarred(path: Path, members: Mapping[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as out:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    return path


def image(seed: int = 0, size: tuple[int, int] = (48, 48), form: str = "PNG") -> bytes:
    """An image file of noise."""
    noise = np.random.default_rng(seed).integers(0, 256, size[::-1], dtype=np.uint8)
    return saved(Image.fromarray(noise), form)


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()
