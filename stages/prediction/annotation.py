"""Drawing of what was predicted into a picture."""

from collections.abc import Sequence

import cv2
import numpy as np

from stages.prediction.classifier import Face

FRAME, TEXT, BACK, BAR = (255, 200, 40), (255, 255, 255), (30, 30, 30), (90, 170, 255)
FONT = cv2.FONT_HERSHEY_SIMPLEX
LINE = 18  # pixels from one line of text to the next, at scale 1
PANEL = 150  # width of the bars with their labels, at scale 1


def annotate(picture: np.ndarray, faces: Sequence[Face], people: Sequence[int] = (), note: str = "") -> np.ndarray:
    """Return a copy of a picture with a box around each face, its label, and a bar for each probability.

    Args:
        picture: uint8, H×W×3, RGB.
        faces: the faces in it. Bars are drawn where a face is large enough for them.
        people: the number of each face's person, if they are known.
        note: a text for the upper left corner.

    Returns:
        uint8, H×W×3, RGB.
    """
    picture = np.ascontiguousarray(picture).copy()
    scale = max(min(picture.shape[:2]) / 480, 0.4)
    for number, face in enumerate(faces):
        left, top, right, bottom = (round(edge) for edge in face.box[:4])
        cv2.rectangle(picture, (left, top), (right, bottom), FRAME, max(round(2 * scale), 1))
        name = f"{people[number]} " if people else ""
        _text(picture, f"{name}{face.label} {face.probabilities[face.label]:.0%}", left, top, scale)
        if bottom - top >= LINE * scale * len(face.probabilities):
            _bars(picture, face, left, right, top, scale)
    if note:
        _text(picture, note, 0, round(LINE * scale), scale)
    return picture


def _text(picture: np.ndarray, text: str, left: int, bottom: int, scale: float) -> None:
    """Write a line on a dark ground, moved into the picture where it would reach out of it."""
    (width, _), _ = cv2.getTextSize(text, FONT, 0.5 * scale, 1)
    height = round(LINE * scale)
    left = max(min(left, picture.shape[1] - width), 0)
    bottom = max(min(bottom, picture.shape[0]), height)
    cv2.rectangle(picture, (left, bottom - height), (left + width, bottom), BACK, cv2.FILLED)
    place = left, bottom - round(5 * scale)
    cv2.putText(picture, text, place, FONT, 0.5 * scale, TEXT, max(round(scale), 1), cv2.LINE_AA)


def _bars(picture: np.ndarray, face: Face, left: int, right: int, top: int, scale: float) -> None:
    """Draw a bar for each probability beside the face: on its right if there is room, else on its left, else in it."""
    width, height = round(PANEL * scale), round(LINE * scale)
    if right + width > picture.shape[1]:
        right = left - width if left >= width else max(picture.shape[1] - width, 0)
    for number, (label, probability) in enumerate(face.probabilities.items()):
        y = max(top, 0) + number * height
        cv2.rectangle(picture, (right, y), (right + width, y + height), BACK, cv2.FILLED)
        cv2.rectangle(picture, (right, y + 2), (right + round(width * probability), y + height - 2), BAR, cv2.FILLED)
        place = right + 3, y + height - round(5 * scale)
        cv2.putText(picture, label, place, FONT, 0.45 * scale, TEXT, max(round(scale), 1), cv2.LINE_AA)
