"""Archives with given members, and the settings to read them."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as some
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


def zip_bytes(members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def tar_bytes(members: Mapping[str, bytes], mode: str = "w", **options: Any) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, **options) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def mutated(content: bytes) -> some.SearchStrategy[bytes]:
    """The content with a few of its parts changed, zeroed, left out, repeated or inserted, and perhaps cut short."""
    length = len(content)
    places = some.integers(0, length - 1)
    change = some.tuples(
        some.sampled_from(["set", "flip", "zero", "delete", "repeat", "insert", "cut", "digits"]),
        places,
        some.sampled_from([1, 1, 2, 4, 8, 60, 512, 1024]),
        some.binary(min_size=1, max_size=16),
    )

    def apply(changes: list[tuple[str, int, int, bytes]]) -> bytes:
        changed = bytearray(content)
        for kind, at, count, other in changes:
            match kind:
                case "set":
                    changed[at : at + len(other)] = other
                case "flip":
                    changed[at : at + 1] = bytes([(changed[at : at + 1] or b"\0")[0] ^ (other[0] or 1)])
                case "zero":
                    changed[at : at + count] = bytes(count)
                case "delete":
                    del changed[at : at + count]
                case "repeat":
                    changed[at:at] = changed[at : at + count]
                case "insert":
                    changed[at:at] = other
                case "cut":
                    del changed[at:]
                case "digits":
                    changed[at : at + count] = b"9" * count
        return bytes(changed)

    return some.lists(change, min_size=1, max_size=4).map(apply)


def image(seed: int = 0, size: tuple[int, int] = (48, 48), form: str = "PNG") -> bytes:
    """An image file of noise."""
    noise = np.random.default_rng(seed).integers(0, 256, size[::-1], dtype=np.uint8)
    return saved(Image.fromarray(noise), form)


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()
