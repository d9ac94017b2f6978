"""The part of a picture around a face, as faces look in training."""

from math import cos, radians, sin

import numpy as np
from PIL import Image

from stages.datasets.decoding import in_mode, in_size
from stages.prediction.detector import Box

# Chosen on JAFFE's training and validation faces, such that predictions differ least from those of the crops of merge.
MARGIN = 1.08  # side of the crop, in widths of the box
UP = 0.11  # from the centre of the box to that of the crop, in widths of the box
# Of JAFFE's pictures, with hair and neck, a face has at most .67 of width and height; of those of CK+48 at least .69.
FILLED = 0.68  # share of the picture's width and height from which on a face fills it


def fills(box: Box, picture: np.ndarray) -> bool:
    """Return whether a face fills its picture, H×W×3, so that the picture is a face that is cropped already."""
    height, width = picture.shape[:2]
    return min((box.right - box.left) / width, (box.bottom - box.top) / height) >= FILLED


def cut_out(picture: np.ndarray, box: Box, size: int, channels: int) -> np.ndarray:
    """Return a face in the form in which the stage merge stores faces, with its head upright.

    Where the crop reaches over an edge of the picture, the outermost pixels are repeated.

    Args:
        picture: uint8, H×W×3, RGB.
        box: the face.
        size: side of the crop in pixels.
        channels: 1 (grey) or 3 (RGB).

    Returns:
        uint8, size×size (grey) or size×size×3 (RGB).
    """
    width, roll = box.right - box.left, radians(box.roll)
    side = max(round(MARGIN * width), 1)
    reach = round(side / 2 * 2**0.5) + 1  # to the corners of the crop, however it is turned
    x = round((box.left + box.right) / 2 + sin(roll) * UP * width)
    y = round((box.top + box.bottom) / 2 - cos(roll) * UP * width)
    rows, columns = (np.arange(centre - reach, centre + reach) for centre in (y, x))
    around = picture[rows.clip(0, picture.shape[0] - 1)][:, columns.clip(0, picture.shape[1] - 1)]
    upright = np.asarray(Image.fromarray(around).rotate(box.roll, Image.Resampling.BICUBIC))
    start = reach - side // 2
    return resized(upright[start : start + side, start : start + side], size, channels)


def resized(picture: np.ndarray, size: int, channels: int) -> np.ndarray:
    """Return a picture that shows a face only, uint8 H×W×3, as the stage merge stores it; see `cut_out`."""
    return np.asarray(in_size(in_mode("L" if channels == 1 else "RGB", Image.fromarray(picture)), size))
