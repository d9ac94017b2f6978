"""Pose, light and lens: from a style of taking pictures to one picture's view, and from a painting to its pixels."""

from typing import NamedTuple

import numpy as np

TRIANGULAR = 6**-0.5  # standard deviation of the sum of two uniform numbers, each ±½


class Style(NamedTuple):
    """How the pictures of a data set are taken: of whom, from where, in what light.

    Pairs are (least, most); a single spread is the most either way.
    """

    size: tuple[int, int]  # width and height in pixels
    colour: bool
    oversample: int  # painted at so many times the size, then averaged
    span: tuple[float, float]  # width of the picture in face units
    centre: float  # of the picture, below the eyes, in face units
    shift: float  # of the picture, in face units
    roll: float  # of the head, as a tangent
    turn: float  # how far the middle of the face moves as the head turns, in face units; half as much up and down
    light: float  # off the line of sight, as a tangent
    gain: tuple[float, float]
    blur: float  # most: how much of a pixel's neighbour on either side comes in
    noise: tuple[float, float]  # standard deviation, white being 1
    clutter: int  # things in the background
    men: float  # their share
    strength: tuple[float, float]  # of expressions


class View(NamedTuple):
    """One picture's pose, light and background, in the units of `Style`."""

    span: float
    x: float
    y: float
    roll: float
    yaw: float
    pitch: float
    light: tuple[float, float]
    ambient: float  # the share of light from all around
    gain: tuple[float, float, float]  # of red, green and blue
    blur: float
    noise: float
    backdrop: list[list[float]]  # the wall, then each thing before it: seven numbers in 0..1


def view(style: Style, rng: np.random.Generator) -> View:
    """A view drawn at random within a style."""
    gain, cast = rng.uniform(*style.gain), 0.15 * style.colour * rng.uniform(-1, 1, 2)
    return View(
        span=rng.uniform(*style.span),
        x=rng.uniform(-style.shift, style.shift),
        y=rng.uniform(-style.shift, style.shift) + style.centre,
        roll=rng.uniform(-style.roll, style.roll),
        yaw=rng.uniform(-style.turn, style.turn),
        pitch=rng.uniform(-style.turn, style.turn) / 2,
        light=(rng.uniform(-style.light, style.light), rng.uniform(-style.light, style.light / 3)),
        ambient=rng.uniform(0.3, 0.6),
        gain=(gain * (1 + cast[0]), gain, gain * (1 + cast[1])),
        blur=rng.uniform(0, style.blur),
        noise=rng.uniform(*style.noise),
        backdrop=rng.uniform(0, 1, (1 + style.clutter, 7)).tolist(),
    )


def develop(picture: np.ndarray, view: View, style: Style, rng: np.random.Generator) -> np.ndarray:
    """From a painting, float32 channels×H×W, to what the camera kept: uint8, H×W (grey) or H×W×3 (RGB)."""
    step = style.oversample
    picture = sum(picture[:, i::step, j::step] for i in range(step) for j in range(step)) / step**2
    gain = view.gain if style.colour else view.gain[1:2]
    picture *= np.array(gain, np.float32)[:, None, None]
    for _ in range(2):
        picture[:, 1:-1] += view.blur * (picture[:, 2:] + picture[:, :-2] - 2 * picture[:, 1:-1])
        picture[:, :, 1:-1] += view.blur * (picture[:, :, 2:] + picture[:, :, :-2] - 2 * picture[:, :, 1:-1])
    grain = rng.random(picture.shape, np.float32) + rng.random(picture.shape, np.float32) - 1
    picture += view.noise / TRIANGULAR * grain
    pixels = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    return pixels.transpose(1, 2, 0) if style.colour else pixels[0]
