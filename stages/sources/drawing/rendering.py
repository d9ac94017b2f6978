"""Rendering of one image of a demo data set, and the style of each data set."""

import numpy as np

from stages.sources.drawing.camera import Style, random_view
from stages.sources.drawing.expressions import random_action_units
from stages.sources.drawing.face import draw
from stages.sources.drawing.people import random_person

VERSION = "1"  # must change if the drawn images change

STYLES = {
    "ck48": Style(
        size=(48, 48),
        colour=False,
        oversample=2,
        span=(1.6, 1.8),
        centre=0.28,
        shift=0.04,
        roll=0.03,
        turn=0.06,
        light=0.5,
        gain=(0.75, 1.15),
        blur=0.1,
        noise=(0.003, 0.01),
        clutter=0,
        men=0.4,
        strength=(0.7, 1.0),
    ),
    "jaffe": Style(
        size=(256, 256),
        colour=False,
        oversample=1,
        span=(3.3, 3.8),
        centre=0.25,
        shift=0.06,
        roll=0.05,
        turn=0.08,
        light=0.4,
        gain=(0.75, 1.0),
        blur=0.1,
        noise=(0.003, 0.01),
        clutter=0,
        men=0.0,
        strength=(0.7, 1.0),
    ),
    "sfew": Style(
        size=(143, 181),
        colour=True,
        oversample=1,
        span=(1.6, 1.95),
        centre=0.3,
        shift=0.07,
        roll=0.1,
        turn=0.18,
        light=0.7,
        gain=(0.55, 1.1),
        blur=0.25,
        noise=(0.003, 0.02),
        clutter=5,
        men=0.5,
        strength=(0.7, 1.05),
    ),
    "fer2013": Style(
        size=(48, 48),
        colour=False,
        oversample=2,
        span=(1.6, 2.1),
        centre=0.28,
        shift=0.08,
        roll=0.12,
        turn=0.25,
        light=1.0,
        gain=(0.5, 1.2),
        blur=0.15,
        noise=(0.003, 0.015),
        clutter=3,
        men=0.5,
        strength=(0.5, 1.0),
    ),
    "rafdb": Style(
        size=(100, 100),
        colour=True,
        oversample=1,
        span=(1.6, 2.0),
        centre=0.25,
        shift=0.06,
        roll=0.1,
        turn=0.2,
        light=0.9,
        gain=(0.5, 1.2),
        blur=0.2,
        noise=(0.003, 0.02),
        clutter=4,
        men=0.5,
        strength=(0.6, 1.0),
    ),
}


def seeded_generator(*key: str) -> np.random.Generator:
    """Return a random number generator whose seed is the key (data set, person, …); it is the same on any machine."""
    return np.random.default_rng(list("/".join(key).encode()))


def render(dataset: str, person: str, sequence: str, frame: int, emotion: str) -> np.ndarray:
    """Draw one image. It depends on the arguments only.

    Args:
        dataset: a key of `STYLES`.
        person: identifier of the person within the data set.
        sequence: identifier of the sequence; its frames have the same pose, lighting and background.
        frame: number of the frame, 0 to 2; frames differ slightly in position, noise and strength of the expression.
        emotion: the emotion to show.

    Returns:
        uint8, H×W (grey) or H×W×3 (RGB), in the size of the data set's images.
    """
    style = STYLES[dataset]
    face = random_person(seeded_generator(dataset, person), style.men)
    sequence_rng = seeded_generator(dataset, person, sequence)
    units = random_action_units(emotion, sequence_rng.uniform(*style.strength), sequence_rng)
    view = random_view(style, sequence_rng)
    frame_rng = seeded_generator(dataset, person, sequence, str(frame))
    x, y, roll = frame_rng.uniform(
        -0.004, 0.004, 3
    ).tolist()  # as Python floats: float64 scalars would widen the pixels
    view = view._replace(x=view.x + x, y=view.y + y, roll=view.roll + roll)
    intensity = 0.94 + 0.03 * frame
    return draw(face, {unit: intensity * value for unit, value in units.items()}, view, style, frame_rng)
