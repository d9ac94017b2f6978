"""The face detector on drawn faces, alone and many in one picture, and on a photograph."""

from pathlib import Path

import matplotlib.cbook
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from helpers.drawn_faces import drawn_face
from stages.detection.detector import Box, Detector
from stages.prediction.pictures import read_picture


@pytest.fixture(scope="module")
def detect() -> Detector:
    return Detector(1)


def overlap(box: Box, left: float, top: float, side: float) -> float:
    """Intersection over union of a box and a square."""
    width = min(box.right, left + side) - max(box.left, left)
    height = min(box.bottom, top + side) - max(box.top, top)
    shared = max(width, 0) * max(height, 0)
    return shared / ((box.right - box.left) * (box.bottom - box.top) + side * side - shared)


@pytest.mark.parametrize("dataset", ["ck48", "jaffe", "sfew", "fer2013", "rafdb"])
def test_it_finds_a_face_that_fills_the_picture_and_one_with_hair_and_neck(detect: Detector, dataset: str):
    for number in range(6):
        assert len(detect(drawn_face(dataset, number))) == 1


def test_boxes_move_and_grow_with_the_face(detect: Detector):
    face = drawn_face("jaffe", 1)
    (box,) = detect(face)
    for x, y, side in [(0, 0, 256), (300, 80, 256), (150, 20, 400), (600, 300, 128)]:
        picture = np.full((480, 800, 3), 128, np.uint8)
        shown = np.asarray(Image.fromarray(face).resize((side, side)))[: 480 - y, : 800 - x]
        picture[y : y + shown.shape[0], x : x + shown.shape[1]] = shown
        (found,) = detect(picture)
        scale = side / 256
        at = x + box.left * scale, y + box.top * scale, (box.right - box.left) * scale
        assert overlap(found, *at) > 0.75, (x, y, side)


def test_it_finds_small_faces_in_a_large_picture_and_the_largest_first(detect: Detector):
    picture = np.full((1200, 1600, 3), 110, np.uint8)
    places = []
    for number in range(12):
        side = 90 + 10 * number
        x, y = 40 + 390 * (number % 4), 60 + 380 * (number // 4)
        picture[y : y + side, x : x + side] = Image.fromarray(drawn_face("jaffe", number)).resize((side, side))
        places.append((x + side / 2, y + side / 2))
    found = detect(picture)
    centres = [((box.left + box.right) / 2, (box.top + box.bottom) / 2) for box in found]
    assert len(found) == 12 > len(detect(picture, small=False))
    for x, y in places:
        assert min(abs(x - a) + abs(y - b) for a, b in centres) < 30
    areas = [(box.right - box.left) * (box.bottom - box.top) for box in found]
    assert areas == sorted(areas, reverse=True) and areas[0] > 2 * areas[-1]


def test_a_large_picture_is_searched_at_its_own_scale(detect: Detector):
    face = Image.fromarray(drawn_face("jaffe", 2))
    small, large = (detect(np.asarray(face.resize((side, side))))[0] for side in (768, 3072))
    assert large.left / 4 == pytest.approx(small.left, abs=8) and large.bottom / 4 == pytest.approx(small.bottom, abs=8)


def test_it_finds_the_face_in_a_photograph(detect: Detector):
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:  # in the public domain
        (box,) = detect(read_picture(Path(file.name)))
    assert overlap(box, 165, 137, 200) > 0.7 and box.score > 0.8


@pytest.mark.parametrize("height,width", [(1, 1), (1, 900), (600, 3), (48, 48), (500, 700)])
def test_a_picture_without_a_face_has_none(detect: Detector, height: int, width: int):
    assert detect(np.full((height, width, 3), 127, np.uint8)) == []
    assert detect(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)) == []


def test_a_photograph_without_a_face_has_none(detect: Detector):
    assert detect(load_sample_image("china.jpg")) == []
