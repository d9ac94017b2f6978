"""Thumbnails of faces as PNG files."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SIDE = 96  # pixels, at most


def thumbnail(face: np.ndarray) -> np.ndarray:
    """Return a square face, uint8 H×H or H×H×3, reduced to SIDE×SIDE if it is larger."""
    if face.shape[0] <= SIDE:
        return np.asarray(face)
    return cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def strip(faces: list[np.ndarray]) -> np.ndarray:
    """Return the thumbnails of faces, uint8 H×H or H×H×3 each, side by side from left to right."""
    return np.concatenate([thumbnail(face) for face in faces], axis=1)


def write_png(image: np.ndarray, path: Path) -> None:
    """Write an image, uint8 H×W (grey) or H×W×3 (RGB), as PNG."""
    Image.fromarray(image).save(path, "PNG")
