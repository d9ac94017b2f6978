"""A picture to paint on: soft shapes given by distance functions, so that edges are smooth at any size.

Every operation on a pixel is one of + - × ÷ √, a comparison or a rounding, which IEEE 754 fixes to the last bit:
the same drawing gives the same bytes on any machine. (No sin, exp or power on arrays, no sums over them.)
"""

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]  # red, green, blue in 0..1
Point = tuple[float, float]


def blob(x: np.ndarray, y: np.ndarray, at: Point, reach: Point) -> np.ndarray:
    """A round bump, 1 at its middle and 0 beyond `reach`: (1 - r²)², r the elliptic distance from `at`."""
    left = np.maximum(1 - ((x - at[0]) / reach[0]) ** 2 - ((y - at[1]) / reach[1]) ** 2, 0)
    return left * left


def line(x: np.ndarray, y: np.ndarray, start: Point, end: Point, width: float) -> np.ndarray:
    """A soft straight line, 1 along its middle, 0 from `width`/2 away."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    place = ((x - start[0]) * along_x + (y - start[1]) * along_y) / (along_x**2 + along_y**2)
    place = np.clip(place, 0, 1)
    away = (x - start[0] - place * along_x) ** 2 + (y - start[1] - place * along_y) ** 2
    return np.maximum(1 - away / (width / 2) ** 2, 0)


@dataclass
class Canvas:
    """Pixels and where they lie, in face units (see `Person`).

    `x`, `y` (H×W, right and down) are coordinates on the outline of the head as seen, `u`, `v` (H×W) on the features
    of its curved front, which a turn of the head shifts; `pixel` is the width of a pixel; `pixels` is float32,
    1×H×W (grey) or 3×H×W, values about 0..1.
    """

    x: np.ndarray
    y: np.ndarray
    u: np.ndarray
    v: np.ndarray
    pixel: float
    pixels: np.ndarray

    def around(self, at: Point, reach: Point) -> "Canvas":
        """The part of the canvas (a view, not a copy) with all pixels whose `u`, `v` lie within `reach` of `at`."""
        near = (np.abs(self.u - at[0]) < reach[0]) & (np.abs(self.v - at[1]) < reach[1])
        rows, columns = near.any(axis=1).nonzero()[0], near.any(axis=0).nonzero()[0]
        if len(rows) == 0:
            rows = columns = np.array([0])
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return Canvas(self.x[part], self.y[part], self.u[part], self.v[part], self.pixel, self.pixels[:, *part])

    def inside(self, distance: np.ndarray, soft: float = 0.0) -> np.ndarray:
        """Coverage, 0..1, of the shape where `distance` (face units) is positive; its edge is at least a pixel soft."""
        soft = max(soft, 0.7 * self.pixel)
        t = np.clip(distance * (0.5 / soft) + 0.5, 0, 1)
        return t * t * (3 - 2 * t)

    def paint(self, cover: np.ndarray | float, colour: Colour) -> None:
        """Lay a colour over the picture where `cover` (H×W or one number, 0..1) says."""
        if len(self.pixels) == 1:
            red, green, blue = colour
            colour = (0.299 * red + 0.587 * green + 0.114 * blue,)  # ITU-R BT.601, as in Pillow's grey
        for channel, value in zip(self.pixels, colour):
            channel += cover * (value - channel)

    def shade(self, cover: np.ndarray, depth: float) -> None:
        """Darken the picture by the share `depth` (0..1) where `cover` says."""
        self.pixels *= 1 - depth * cover
