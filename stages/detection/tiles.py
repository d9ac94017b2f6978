"""Square parts of a picture, in which the detector looks for faces.

The detector sees 256×256 pixels, in which it finds faces of some 20 pixels or more that do not fill the square. So the
picture is searched with a border around it, in which the largest faces are found, as a whole, and in overlapping
parts, in which the smallest are.
"""

from typing import NamedTuple

import numpy as np

BORDER = 0.25  # on either side, as a share of the picture's longer side
PARTS = {512: 2, 1024: 4}  # from this length of the longer side: it is divided by as much


class Tile(NamedTuple):
    """A square in a picture, in pixels of the picture; it can reach over its edges."""

    x: int
    y: int
    side: int


def tiles(height: int, width: int, small: bool) -> list[list[Tile]]:
    """Return the tiles of a picture, in lists of equal side.

    Args:
        height: of the picture.
        width: of the picture.
        small: whether to divide the picture into parts too, if it is large.
    """
    longer = max(height, width)
    sides = [round(longer * (1 + 2 * BORDER)), longer]
    if small:
        sides += [-(-longer // parts) for length, parts in PARTS.items() if longer >= length]
    return [[Tile(x, y, side) for y in _starts(height, side) for x in _starts(width, side)] for side in sides]


def _starts(length: int, side: int) -> list[int]:
    """Return where tiles begin along one axis: one in the middle if it covers all, else some that overlap by half."""
    if length <= side:
        return [(length - side) // 2]
    count = -(-2 * (length - side) // side) + 1
    return np.linspace(0, length - side, count).round().astype(int).tolist()


def cut(picture: np.ndarray, tile: Tile) -> np.ndarray:
    """Return a tile of a picture, uint8, H×W×3; what is outside of the picture is black."""
    height, width = picture.shape[:2]
    top, bottom = max(tile.y, 0), min(tile.y + tile.side, height)
    left, right = max(tile.x, 0), min(tile.x + tile.side, width)
    square = np.zeros((tile.side, tile.side, 3), np.uint8)
    square[top - tile.y : bottom - tile.y, left - tile.x : right - tile.x] = picture[top:bottom, left:right]
    return square
