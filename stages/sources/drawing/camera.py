"""Pose, lighting and camera of one image, and the conversion of a painting to pixels."""

from typing import NamedTuple

import numpy as np

TRIANGULAR = 6**-0.5  # standard deviation of the sum of two random numbers, uniform in ±½


class Style(NamedTuple):
    """Ranges of the image properties of one data set.

    A pair is (minimum, maximum). `shift`, `roll`, `turn` and `light` are the largest deviation in either direction.
    Face units are defined in `Person`.
    """

    size: tuple[int, int]  # width and height in pixels
    colour: bool
    oversample: int  # painted at this multiple of the size, then averaged
    span: tuple[float, float]  # width of the image, in face units
    centre: float  # of the image, below the eyes, in face units
    shift: float  # of the image, in face units
    roll: float  # of the head, as the tangent of an angle
    turn: float  # displacement of the centre of a turned face, in face units; half as much vertically
    light: float  # direction, as the tangent of the angle to the line of sight
    gain: tuple[float, float]  # brightness factor
    blur: float  # maximum: weight of the neighbouring pixel on either side
    noise: tuple[float, float]  # standard deviation; white is 1
    clutter: int  # number of objects in the background
    men: float  # share of men, 0..1
    strength: tuple[float, float]  # of expressions, 0..1


class View(NamedTuple):
    """Pose, lighting and background of one image, in the units of `Style`."""

    span: float
    x: float
    y: float
    roll: float
    yaw: float
    pitch: float
    light: tuple[float, float]
    ambient: float  # share of ambient light, 0..1
    gain: tuple[float, float, float]  # brightness factors of red, green and blue
    blur: float
    noise: float
    backdrop: list[list[float]]  # seven numbers in 0..1 for the wall and for each object


def random_view(style: Style, rng: np.random.Generator) -> View:
    """Return a random view within the ranges of a style."""
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


def to_pixels(painting: np.ndarray, view: View, style: Style, rng: np.random.Generator) -> np.ndarray:
    """Convert a painting to an image: average, apply gain, blur, add noise and round.

    Args:
        painting: float32, C×H×W, at `style.oversample` times the size of the image; 0 is black and 1 is white.
        view: gain, blur and noise.
        style: oversampling and colour.
        rng: source of the noise.

    Returns:
        uint8, H×W (grey) or H×W×3 (RGB).
    """
    step = style.oversample
    image = np.asarray(sum(painting[:, i::step, j::step] for i in range(step) for j in range(step)) / step**2)
    gain = view.gain if style.colour else view.gain[1:2]
    image *= np.array(gain, np.float32)[:, None, None]
    for _ in range(2):
        image[:, 1:-1] += view.blur * (image[:, 2:] + image[:, :-2] - 2 * image[:, 1:-1])
        image[:, :, 1:-1] += view.blur * (image[:, :, 2:] + image[:, :, :-2] - 2 * image[:, :, 1:-1])
    noise = rng.random(image.shape, np.float32) + rng.random(image.shape, np.float32) - 1
    image += view.noise / TRIANGULAR * noise
    pixels = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    return pixels.transpose(1, 2, 0) if style.colour else pixels[0]
