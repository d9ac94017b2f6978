"""The part of a picture around a face. Merge and predict cut faces out in the same way."""

from functools import cache
from math import cos, radians, sin

import numpy as np
from PIL import Image

from stages.datasets.decoding import in_mode, in_size
from stages.detection.detector import Box, Detector

# Chosen on JAFFE's training and validation faces, such that crops have on average the place and size of those of
# OpenCV's Haar cascade for frontal faces: eyes, brows, nose and mouth, but little hair.
MARGIN = 1.08  # side of the crop, in widths of the box
UP = 0.11  # from the centre of the box to that of the crop, in widths of the box
# Of JAFFE's pictures, with hair and neck, a face has at most .67 of width and height; of those of CK+48 at least .69.
FILLED = 0.68  # share of the picture's width and height from which on a face fills it
CENTRE = 0.65  # side of the crop without a face, as a share of the picture's shorter side


def crop_face(image: Image.Image, size: int, channels: int) -> tuple[Image.Image, str]:
    """Cut the largest face out of an image that shows more.

    In a grey image it finds the same faces as predict does, if the picture was grey; of a picture in colour, which
    predict searches in colour, the box can differ a little.

    Args:
        image: an image in mode L or RGB.
        size: side of the crop in pixels.
        channels: 1 (grey) or 3 (RGB).

    Returns:
        The face, size×size, and how it was found: "detected", or "fallback" for the centre of the image, which is used
        if no face is detected.
    """
    picture = np.asarray(in_mode("RGB", image))
    if boxes := _detector()(picture):
        return Image.fromarray(cut_out(picture, boxes[0], size, channels)), "detected"
    side = round(min(image.size) * CENTRE)
    x, y = (image.width - side) // 2, (image.height - side) // 2
    return in_size(image.crop((x, y, x + side, y + side)), size), "fallback"


@cache
def _detector() -> Detector:
    return Detector(threads=1)  # the images are already processed in parallel


def fills(box: Box, picture: np.ndarray) -> bool:
    """Return whether a face fills its picture, H×W×3, so that the picture is a face that is cropped already."""
    height, width = picture.shape[:2]
    return min((box.right - box.left) / width, (box.bottom - box.top) / height) >= FILLED


def cut_out(picture: np.ndarray, box: Box, size: int, channels: int) -> np.ndarray:
    """Return a face in the form in which the stage merge stores faces, with its head upright.

    If the face fills the picture, the whole picture is returned. Where the crop reaches over an edge of the picture,
    the outermost pixels are repeated. The crop and its angle are whole numbers, so that the last digits of the
    detector's outputs, which differ between processors, seldom change a pixel.

    Args:
        picture: uint8, H×W×3, RGB.
        box: the face.
        size: side of the crop in pixels.
        channels: 1 (grey) or 3 (RGB).

    Returns:
        uint8, size×size (grey) or size×size×3 (RGB).
    """
    if fills(box, picture):
        return resized(picture, size, channels)
    width, degrees = box.right - box.left, round(box.roll)
    roll = radians(degrees)
    side = max(round(MARGIN * width), 1)
    reach = round(side / 2 * 2**0.5) + 1  # to the corners of the crop, however it is turned
    x = round((box.left + box.right) / 2 + sin(roll) * UP * width)
    y = round((box.top + box.bottom) / 2 - cos(roll) * UP * width)
    rows, columns = (np.arange(centre - reach, centre + reach) for centre in (y, x))
    around = picture[rows.clip(0, picture.shape[0] - 1)][:, columns.clip(0, picture.shape[1] - 1)]
    upright = np.asarray(Image.fromarray(around).rotate(degrees, Image.Resampling.BICUBIC))
    start = reach - side // 2
    return resized(upright[start : start + side, start : start + side], size, channels)


def resized(picture: np.ndarray, size: int, channels: int) -> np.ndarray:
    """Return a picture that shows a face only, uint8 H×W×3, as the stage merge stores it; see `cut_out`."""
    return np.asarray(in_size(in_mode("L" if channels == 1 else "RGB", Image.fromarray(picture)), size))
