"""An image to paint on, with antialiased shapes defined by distance functions.

Array operations are limited to + - × ÷ √, comparisons and rounding, whose results IEEE 754 defines exactly, so that a
drawing has the same bytes on any machine. There is no sin, exp or power of arrays, and no sum over array elements.
"""

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]  # red, green, blue in 0..1
Point = tuple[float, float]


def scale(colour: Colour, factor: float) -> Colour:
    """Return a colour with its brightness multiplied by a factor."""
    red, green, blue = colour
    return factor * red, factor * green, factor * blue


def bump(x: np.ndarray, y: np.ndarray, centre: Point, radii: Point) -> np.ndarray:
    """Return a smooth elliptic bump, (1 - r²)²: 1 at its centre and 0 beyond its horizontal and vertical radii."""
    root = np.maximum(1 - ((x - centre[0]) / radii[0]) ** 2 - ((y - centre[1]) / radii[1]) ** 2, 0)
    return root * root


def line(x: np.ndarray, y: np.ndarray, start: Point, end: Point, width: float) -> np.ndarray:
    """Return a soft line segment: 1 along its centre, and 0 beyond half of `width` from it."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    position = ((x - start[0]) * along_x + (y - start[1]) * along_y) / (along_x**2 + along_y**2)
    position = np.clip(position, 0, 1)
    distance = (x - start[0] - position * along_x) ** 2 + (y - start[1] - position * along_y) ** 2
    return np.maximum(1 - distance / (width / 2) ** 2, 0)


@dataclass
class Canvas:
    """Pixels and their coordinates in face units (see `Person`).

    Attributes:
        x: H×W, horizontal coordinates (to the right) for the outline of the head.
        y: H×W, vertical coordinates (downwards) for the outline of the head.
        u: H×W, horizontal coordinates for the features on the curved front of the face, which a turn of the head
            displaces.
        v: H×W, the corresponding vertical coordinates.
        pixel: width of a pixel.
        pixels: float32, 1×H×W (grey) or 3×H×W (RGB); 0 is black and 1 is white.
    """

    x: np.ndarray
    y: np.ndarray
    u: np.ndarray
    v: np.ndarray
    pixel: float
    pixels: np.ndarray

    def crop(self, centre: Point, margins: Point) -> "Canvas":
        """Return a view of the rectangle with all pixels whose `u` and `v` are within these margins of a centre."""
        near = (np.abs(self.u - centre[0]) < margins[0]) & (np.abs(self.v - centre[1]) < margins[1])
        rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
        if len(rows) == 0:
            rows = columns = np.array([0])
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return Canvas(self.x[part], self.y[part], self.u[part], self.v[part], self.pixel, self.pixels[:, *part])

    def coverage(self, distance: np.ndarray, softness: float = 0.0) -> np.ndarray:
        """Return how much of each pixel a shape covers, 0..1.

        Args:
            distance: signed distance to the edge of the shape, positive inside, H×W in face units.
            softness: half the width of the soft edge, in face units; at least 0.7 pixels.
        """
        softness = max(softness, 0.7 * self.pixel)
        t = np.clip(distance * (0.5 / softness) + 0.5, 0, 1)
        return t * t * (3 - 2 * t)

    def paint(self, coverage: np.ndarray | float, colour: Colour) -> None:
        """Blend a colour over the image with an opacity of `coverage` (H×W or one number, 0..1)."""
        values: tuple[float, ...] = colour
        if len(self.pixels) == 1:
            red, green, blue = colour
            values = (0.299 * red + 0.587 * green + 0.114 * blue,)  # ITU-R BT.601, as Pillow converts to grey
        for channel, value in zip(self.pixels, values, strict=True):
            channel += coverage * (value - channel)

    def shade(self, coverage: np.ndarray, depth: float) -> None:
        """Darken the image by the share `depth` (0..1), weighted by `coverage` (H×W, 0..1)."""
        self.pixels *= 1 - depth * coverage
