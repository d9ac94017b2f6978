"""Copies of a face are found if they are mirrored, rotated, cropped, brighter or darker; other faces are not."""

from collections.abc import Callable

import numpy as np
import pytest

from helpers.copies import COPIES
from stages.curation.near_duplicates import near_duplicate_pairs, perceptual_hashes
from stages.curation.transformed_copies import transformed_pairs
from stages.sources.drawing.rendering import render

COUNT = 20


@pytest.fixture(scope="module")
def people() -> np.ndarray:
    """Return the faces of different people, uint8, COUNT×48×48."""
    return np.stack([render("fer2013", f"person {n}", "", 0, "happy") for n in range(COUNT)])


def pairs(faces: np.ndarray) -> set[tuple[int, int]]:
    near = near_duplicate_pairs(faces, perceptual_hashes(faces), 8, 0.93)
    return set(map(tuple, np.concatenate([near, transformed_pairs(faces)]).tolist()))


def test_different_people_are_no_pair(people: np.ndarray):
    assert not pairs(people)


@pytest.mark.parametrize("copy", COPIES.values(), ids=list(COPIES))
def test_a_copy_is_found_on_either_side(people: np.ndarray, copy: Callable[[np.ndarray], np.ndarray]):
    copies = np.stack([copy(face) for face in people])
    expected = {(n, COUNT + n) for n in range(COUNT)}
    assert pairs(np.concatenate([people, copies])) == expected
    assert pairs(np.concatenate([copies, people])) == expected


def test_colour_and_larger_faces_have_the_same_pairs(people: np.ndarray):
    faces = np.concatenate([people, people[:, :, ::-1]])
    expected = [[n, COUNT + n] for n in range(COUNT)]
    assert transformed_pairs(np.repeat(faces[..., None], 3, axis=3)).tolist() == expected
    assert transformed_pairs(faces.repeat(2, axis=1).repeat(2, axis=2)).tolist() == expected


def test_faces_without_contrast_are_no_pair():
    assert not len(transformed_pairs(np.full((5, 48, 48), 7, np.uint8)))
    assert not len(transformed_pairs(np.zeros((1, 48, 48, 3), np.uint8)))
