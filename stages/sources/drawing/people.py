"""Random people: the properties of a face without expression."""

from typing import NamedTuple

import numpy as np

from stages.sources.drawing.canvas import Colour


class Person(NamedTuple):
    """A neutral face. Lengths are in face units: the eyes are about 0.68 apart, and the face is about 1.6 wide."""

    width: float  # half the width of the head at the cheekbones
    chin: float  # distance of the chin below the eyes
    crown: float  # distance of the top of the head above the eyes
    jaw: float  # 0 pointed .. 1 square
    skin: Colour
    eye_distance: float  # from the centre of the face to an eye
    eye_width: float  # half the width of an eye
    eye_opening: float
    eye_tilt: float
    iris: float  # brightness
    brow_height: float
    brow_width: float
    brow_tilt: float
    nose_length: float
    nose_width: float
    mouth_height: float
    mouth_width: float  # half the width of the mouth
    lips: float  # thickness
    lip_corners: float  # negative: raised, positive: drooping
    lip_red: float
    hair: Colour
    hairline: float  # distance of the hairline above the eyes
    hair_volume: float  # 0 is bald
    hair_length: float  # distance of the ends of the hair below the eyes
    parting: float
    beard: float  # 0 none .. 1 full
    wrinkles: float
    glasses: bool
    clothes: Colour


SKIN = ((0.96, 0.80, 0.70), (0.78, 0.57, 0.43), (0.40, 0.27, 0.20))
HAIR = ((0.09, 0.07, 0.06), (0.26, 0.17, 0.10), (0.52, 0.38, 0.22), (0.62, 0.60, 0.58))
CLOTHES = ((0.08, 0.09, 0.12), (0.20, 0.27, 0.38), (0.45, 0.40, 0.36), (0.50, 0.22, 0.20), (0.85, 0.83, 0.80))


def interpolate(colours: tuple[Colour, ...], position: float) -> Colour:
    """Return the colour at a position (0..1) on the piecewise linear path through these colours."""
    first = min(int(position * (len(colours) - 1)), len(colours) - 2)
    share = position * (len(colours) - 1) - first
    red, green, blue = (a + share * (b - a) for a, b in zip(colours[first], colours[first + 1], strict=True))
    return red, green, blue


def random_person(rng: np.random.Generator, men: float) -> Person:
    """Return a random person, who is a man with the probability `men`."""
    woman = rng.random() >= men
    bald = not woman and rng.random() < 0.15
    return Person(
        width=rng.uniform(0.74, 0.84),
        chin=rng.uniform(1.08, 1.22),
        crown=rng.uniform(0.95, 1.1),
        jaw=rng.uniform(0.0, 0.6) if woman else rng.uniform(0.4, 1.0),
        skin=interpolate(SKIN, rng.triangular(0, 0.2, 1)),
        eye_distance=rng.uniform(0.32, 0.37),
        eye_width=rng.uniform(0.13, 0.165),
        eye_opening=rng.uniform(0.06, 0.08),
        eye_tilt=rng.uniform(-0.02, 0.03),
        iris=rng.uniform(0.05, 0.4),
        brow_height=rng.uniform(0.19, 0.235),
        brow_width=rng.uniform(0.05, 0.075) if woman else rng.uniform(0.065, 0.1),
        brow_tilt=rng.uniform(-0.02, 0.02),
        nose_length=rng.uniform(0.36, 0.46),
        nose_width=rng.uniform(0.10, 0.15),
        mouth_height=rng.uniform(0.68, 0.76),
        mouth_width=rng.uniform(0.23, 0.30),
        lips=rng.uniform(0.045, 0.08),
        lip_corners=rng.uniform(-0.02, 0.02),
        lip_red=rng.uniform(0.2, 1.0) if woman else rng.uniform(0.0, 0.4),
        hair=interpolate(HAIR, rng.triangular(0, 0, 1)),
        hairline=rng.uniform(0.5, 0.72),
        hair_volume=0.0 if bald else rng.uniform(0.1, 0.25) if woman else rng.uniform(0.05, 0.15),
        hair_length=rng.uniform(0.2, 1.8) if woman else rng.uniform(-0.2, 0.25),
        parting=rng.uniform(-0.2, 0.2),
        beard=0.0 if woman else max(rng.uniform(-1.0, 0.6), 0.0),
        wrinkles=rng.uniform(0.3, 1.0),
        glasses=rng.random() < 0.1,
        clothes=interpolate(CLOTHES, rng.random()),
    )
