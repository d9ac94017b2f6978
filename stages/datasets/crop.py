"""Face detection, for images that show more than a face."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image


def crop_face(image: Image.Image) -> tuple[Image.Image, str]:
    """Crop an image to its largest face, as found by OpenCV's Haar cascade for frontal faces.

    The detector is a boosted cascade of Haar features: Viola and Jones, "Rapid object detection using a boosted
    cascade of simple features", CVPR 2001.

    Args:
        image: an image in any mode.

    Returns:
        The square crop, and how it was found: "detected", or "fallback" for the centre of the image (a square with
        0.65 of its shorter side), which is used if no face is detected.
    """
    grey = np.asarray(image.convert("L"))
    smallest = min(grey.shape) // 4
    detections = _cascade().detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(smallest, smallest))
    boxes = [tuple(int(number) for number in box) for box in detections]
    if boxes:
        x, y, side, _ = max(boxes, key=lambda box: (box[2], box))
        return image.crop((x, y, x + side, y + side)), "detected"
    side = round(min(image.size) * 0.65)
    x, y = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((x, y, x + side, y + side)), "fallback"


@cache
def _cascade() -> cv2.CascadeClassifier:
    cv2.setNumThreads(1)  # the images are already processed in parallel
    return cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"))
