"""The studio: the style of each data set's pictures, and any one picture from nothing but its place in the data set."""

import numpy as np

from stages.sources.drawing.camera import Style, view
from stages.sources.drawing.expressions import action_units
from stages.sources.drawing.face import draw
from stages.sources.drawing.people import person

VERSION = "1"  # of the drawing: another version means other pictures

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


def generator(*place: str) -> np.random.Generator:
    """A random generator that is the same for the same place (data set, person, ...) on every machine."""
    return np.random.default_rng(list("/".join(place).encode()))


def photograph(dataset: str, who: str, sequence: str, frame: int, emotion: str) -> np.ndarray:
    """Draw one picture: uint8, H×W (grey) or H×W×3 (RGB), in the size that the data set has.

    The same `who` is the same person, the same `sequence` the same moment: its frames 0, 1, 2 differ by a tremor,
    their grain, and an expression that grows a little.
    """
    style = STYLES[dataset]
    face = person(generator(dataset, who), style.men)
    moment = generator(dataset, who, sequence)
    units = action_units(emotion, moment.uniform(*style.strength), moment)
    scene = view(style, moment)
    instant = generator(dataset, who, sequence, str(frame))
    x, y, roll = instant.uniform(-0.004, 0.004, 3).tolist()  # NumPy's own float64 would widen the pixels
    scene = scene._replace(x=scene.x + x, y=scene.y + y, roll=scene.roll + roll)
    held = 0.94 + 0.03 * frame
    return draw(face, {unit: held * value for unit, value in units.items()}, scene, style, instant)
