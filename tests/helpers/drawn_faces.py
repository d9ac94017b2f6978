"""Drawn faces as pictures."""

import numpy as np

from stages.sources.drawing.contents import IMAGE_LISTS
from stages.sources.drawing.rendering import render


def drawn_face(dataset: str, number: int) -> np.ndarray:
    """A drawn picture of a data set, uint8, H×W×3, RGB."""
    spec = IMAGE_LISTS[dataset](70)[number]
    pixels = render(dataset, spec.person, spec.sequence, spec.frame, spec.emotion)
    return pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
