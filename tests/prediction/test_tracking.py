"""People who are followed through the frames of a video."""

import numpy as np
import pytest

from stages.detection.detector import Box
from stages.prediction.classifier import Face
from stages.prediction.tracking import LOST_SECONDS, Tracker

FPS = 25


def face(x: float, happy: float = 0.5, y: float = 100, width: float = 80) -> Face:
    box = Box(x - width / 2, y - width / 2, x + width / 2, y + width / 2, 0.9)
    return Face(box, {"happy": happy, "neutral": 1 - happy})


def follow(frames: list[list[Face]]) -> list[list[tuple[int, Face]]]:
    """Follow faces through frames, in which the happier one is brighter."""
    tracker, found = Tracker(), []
    for number, faces in enumerate(frames):
        picture = np.full((200, 800, 3), 90, np.uint8)
        for some in sorted(faces, key=lambda face: face.probabilities["happy"]):
            left, top, right, bottom = (max(round(edge), 0) for edge in some.box[:4])
            picture[top:bottom, left:right] = 130 + 40 * some.probabilities["happy"]
        found.append(tracker(picture, faces, number / FPS))
    return found


@pytest.mark.parametrize("hidden", [0, 30, 60])
@pytest.mark.parametrize("speed", [2, 5, 9])
def test_two_people_who_cross_keep_their_numbers_and_labels(speed: float, hidden: float):
    rng, frames = np.random.default_rng(0), []
    for number in range(int(600 / speed)):
        left, right = face(100 + speed * number + rng.normal(), 0.9), face(700 - speed * number + rng.normal(), 0.1)
        both = [left, right] if abs(left.box.left - right.box.left) > hidden else [left]  # the other one is behind
        rng.shuffle(both)
        frames.append(both)
    found = follow(frames)
    labels = {person: face.label for person, face in found[0]}
    assert sorted(labels.values()) == ["happy", "neutral"] and len(found[-1]) == 2
    assert all(face.label == labels.get(person) for people in found for person, face in people)


def test_one_label_does_not_flicker():
    rng = np.random.default_rng(0)
    found = follow([[face(300, happy)] for happy in rng.uniform(0.3, 0.9, 300)])
    assert {face.label for ((_, face),) in found[10:]} == {"happy"}
    assert all(sum(face.probabilities.values()) == pytest.approx(1) for ((_, face),) in found)


def test_a_label_that_changes_follows_within_half_a_second():
    found = follow([[face(300, 0.9)]] * 50 + [[face(300, 0.1)]] * 25)
    labels = [face.label for ((_, face),) in found]
    assert labels[:50] == ["happy"] * 50 and labels[50 + FPS // 2 :] == ["neutral"] * (25 - FPS // 2)


def test_who_comes_back_soon_is_the_same_and_who_comes_back_late_is_another():
    away = int(LOST_SECONDS * FPS)
    soon = follow([[face(300)]] * 20 + [[]] * (away - 2) + [[face(305)]])
    late = follow([[face(300)]] * 20 + [[]] * (away + 2) + [[face(305)]])
    assert soon[-1][0][0] == 1 and late[-1][0][0] == 2


def test_who_is_hidden_more_and_more_is_the_same_who_comes_back_further_on():
    walking = [[face(100 + 3 * number)] for number in range(50)]
    half_hidden = [[face(250 + number, width=80 - 4 * number)] for number in range(10)]
    found = follow([*walking, *half_hidden, *[[]] * 35, [face(365)]])
    assert {person for people in found for person, _ in people} == {1}


def test_a_face_elsewhere_is_another_person():
    found = follow([[face(100)]] * 5 + [[face(100), face(400)]] * 5 + [[face(400)]])
    assert [person for person, _ in found[-2]] == [1, 2] and [person for person, _ in found[-1]] == [2]
