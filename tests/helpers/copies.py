"""Copies of a face such as augmentation makes and archives contain."""

from collections.abc import Callable

import numpy as np
from PIL import Image

BILINEAR = Image.Resampling.BILINEAR


def rotated(degrees: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that rotates a grey face, uint8, H×W; the corners become black."""
    return lambda face: np.asarray(Image.fromarray(face).rotate(degrees, BILINEAR))


def cropped(down: float, right: float, share: float = 0.9) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that cuts out a share of a square face's sides, at a place from 0 to 1, and enlarges it."""

    def crop(face: np.ndarray) -> np.ndarray:
        side = len(face)
        left, top = right * (1 - share) * side, down * (1 - share) * side
        box = (left, top, left + share * side, top + share * side)
        return np.asarray(Image.fromarray(face).resize((side, side), BILINEAR, box=box))

    return crop


def brightened(factor: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that multiplies the grey levels; those above 255 become white."""
    return lambda face: np.clip(np.rint(face * factor), 0, 255).astype(np.uint8)


def mirrored(face: np.ndarray) -> np.ndarray:
    """Return the mirror image of a face."""
    return np.ascontiguousarray(face[:, ::-1])


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mirrored": mirrored,
    "5°": rotated(5),
    "-5°": rotated(-5),
    "15°": rotated(15),
    "-15°": rotated(-15),
    "37°": rotated(37),
    "90°": np.rot90,
    "180°": lambda face: np.rot90(face, 2),
    "270°": lambda face: np.rot90(face, 3),
    "mirrored, 15°": lambda face: rotated(15)(mirrored(face)),
    "darker": brightened(0.7),
    "brighter": brightened(1.3),
    "centre": cropped(0.5, 0.5),
    "edge": cropped(0.5, 0),
    "mirrored, centre": lambda face: cropped(0.5, 0.5)(mirrored(face)),
}
