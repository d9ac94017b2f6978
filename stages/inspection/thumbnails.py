"""A face as a picture to look at."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SIDE = 96  # pixels, at most


def small(face: np.ndarray) -> np.ndarray:
    """A face, uint8 H×W or H×W×3, made as small as SIDE×SIDE where it is larger."""
    if face.shape[0] <= SIDE:
        return np.asarray(face)
    return cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def strip(faces: list[np.ndarray]) -> np.ndarray:
    """Faces, uint8 H×W or H×W×3 each, made small and set side by side, left to right."""
    return np.concatenate([small(face) for face in faces], axis=1)


def write(picture: np.ndarray, path: Path) -> None:
    """Write a picture, uint8 H×W (grey) or H×W×3 (RGB), as PNG."""
    Image.fromarray(picture).save(path, "PNG")
