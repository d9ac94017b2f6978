"""Finds the face in a picture that shows more than a face."""

from functools import cache

import cv2
import numpy as np
from PIL import Image


def crop_face(image: Image.Image) -> tuple[Image.Image, str]:
    """Cut out the largest face that the Haar cascade finds (Viola and Jones, 2001), or the middle where it finds none.

    Returns the square cut-out and how it came about: "detected" or "fallback".
    """
    grey = np.asarray(image.convert("L"))
    smallest = min(grey.shape) // 4
    found = _cascade().detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(smallest, smallest))
    if len(found):
        x, y, side, _ = max(found.tolist(), key=lambda box: (box[2], box))
        return image.crop((x, y, x + side, y + side)), "detected"
    side = round(min(image.size) * 0.65)
    x, y = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((x, y, x + side, y + side)), "fallback"


@cache
def _cascade() -> cv2.CascadeClassifier:
    cv2.setNumThreads(1)  # the caller already uses every core
    return cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
