"""Following faces through a video, and averaging their probabilities over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
from PIL import Image
from scipy.optimize import linear_sum_assignment

from stages.prediction.classifier import Face

NEAR = 0.8  # largest distance of a face from where it is expected, in widths of a face
DRIFT = 0.6  # by which this distance grows for each second in which the face was not found
LOST_SECONDS = 2.0  # a face that was away for longer is taken for another person's
SPEED_SECONDS = 0.4  # over which the speed of a face is averaged
LABEL_SECONDS = 0.4  # over which its probabilities are averaged
LOOK_SECONDS = 1.0  # over which its look is averaged
FAR = 100.0  # cost of a pair that is none
LOOK_SIDE = 12  # pixels
LOOK = LOOK_SIDE * LOOK_SIDE * 3  # numbers
LOOK_WEIGHT = 4  # widths of a face for which the difference between a white and a black face counts


@dataclass
class _Track:
    """A person: number, when and where the face was last (x and y of its centre, and its width), and its averages."""

    person: int
    time: float
    place: np.ndarray
    speed: np.ndarray
    look: np.ndarray
    probabilities: np.ndarray

    def expected(self, time: float) -> np.ndarray:
        """Return where the face is at a time if it goes on as before, in the same size."""
        return self.place + self.speed * np.array([1, 1, 0]) * (time - self.time)

    def update(self, time: float, place: np.ndarray, look: np.ndarray, probabilities: np.ndarray) -> None:
        """Continue with the face in a later frame."""
        seconds = max(time - self.time, 1e-3)
        self.speed += (1 - exp(-seconds / SPEED_SECONDS)) * ((place - self.place) / seconds - self.speed)
        self.look += (1 - exp(-seconds / LOOK_SECONDS)) * (look - self.look)
        self.probabilities += (1 - exp(-seconds / LABEL_SECONDS)) * (probabilities - self.probabilities)
        self.time, self.place = time, place


class Tracker:
    """Tells which faces of successive frames are of one person, and averages the probabilities of each person.

    Faces of a new frame are assigned to the people of the frames before such that the sum of their distances is least:
    of where they are from where they are expected, as in Bewley, Ge, Ott, Ramos and Upcroft, "Simple online and
    realtime tracking", ICIP 2016, and of how they look, in small pictures, which tells apart people who cross. A face
    is expected to go on at its mean speed. Averages are exponential.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._people = 0

    def __call__(self, picture: np.ndarray, faces: Sequence[Face], time: float) -> list[tuple[int, Face]]:
        """Return the faces of the next frame, each with the number of its person, from 1, and with averages.

        Args:
            picture: the frame, uint8, H×W×3.
            faces: the faces in it.
            time: the time of the frame in seconds; it must grow.
        """
        self._tracks = [track for track in self._tracks if time - track.time <= LOST_SECONDS]
        places = np.array([_place(face) for face in faces]).reshape(-1, 3)
        expected = np.array([track.expected(time) for track in self._tracks]).reshape(-1, 3)
        widths = (places[:, None, 2] + expected[None, :, 2]).clip(1) / 2
        distances = np.linalg.norm(places[:, None] - expected[None], axis=2) / widths
        looks = np.array([_look(picture, face) for face in faces]).reshape(-1, LOOK)
        known = np.array([track.look for track in self._tracks]).reshape(-1, LOOK)
        differences = np.abs(looks[:, None] - known[None]).mean(2)
        near = NEAR + DRIFT * np.array([time - track.time for track in self._tracks])
        costs = np.where(distances < near, distances + LOOK_WEIGHT * differences, FAR)
        pairs = zip(*linear_sum_assignment(costs), strict=True)
        owners = {face: self._tracks[track] for face, track in pairs if costs[face, track] < FAR}
        numbered = []
        for number, face in enumerate(faces):
            probabilities = np.array(list(face.probabilities.values()))
            if number in owners:
                owners[number].update(time, places[number], looks[number], probabilities)
            else:
                self._people += 1
                owners[number] = _Track(self._people, time, places[number], np.zeros(3), looks[number], probabilities)
                self._tracks.append(owners[number])
            means = dict(zip(face.probabilities, owners[number].probabilities.tolist(), strict=True))
            numbered.append((owners[number].person, face._replace(probabilities=means)))
        return numbered


def _place(face: Face) -> tuple[float, float, float]:
    left, top, right, bottom = face.box[:4]
    return (left + right) / 2, (top + bottom) / 2, right - left


def _look(picture: np.ndarray, face: Face) -> np.ndarray:
    """Return a small picture of the part of a face that is in the picture, 0 to 1, as a vector."""
    left, top, right, bottom = (max(round(edge), 0) for edge in face.box[:4])
    part = picture[top : max(bottom, top + 1), left : max(right, left + 1)]
    if not part.size:
        return np.zeros(LOOK)
    return np.asarray(Image.fromarray(part).resize((LOOK_SIDE, LOOK_SIDE), Image.Resampling.BOX)).ravel() / 255
