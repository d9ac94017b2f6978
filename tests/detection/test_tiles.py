"""The parts of a picture that are searched: they cover it, and a small face lies whole in one of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from stages.detection.tiles import PARTS, Tile, cut, tiles

SIDES = some.integers(1, 3000)


@given(height=SIDES, width=SIDES, data=some.data())
def test_any_face_lies_whole_in_a_tile_that_is_not_much_larger(height: int, width: int, data: some.DataObject):
    face = data.draw(some.integers(1, min(height, width)))
    x, y = data.draw(some.integers(0, width - face)), data.draw(some.integers(0, height - face))
    around = [
        tile.side
        for level in tiles(height, width, small=True)
        for tile in level
        if tile.x <= x and tile.y <= y and x + face <= tile.x + tile.side and y + face <= tile.y + tile.side
    ]
    longer = max(height, width)
    finest = max([parts for length, parts in PARTS.items() if longer >= length], default=1)
    assert min(around) <= max(4 * face + 2, -(-longer // finest))


@given(height=SIDES, width=SIDES)
def test_tiles_without_parts_show_the_whole_picture(height: int, width: int):
    for (tile,) in tiles(height, width, small=False):
        assert tile.x <= 0 and tile.y <= 0 and tile.x + tile.side >= width and tile.y + tile.side >= height


def test_what_is_outside_of_the_picture_is_black():
    picture = np.arange(1, 5 * 4 * 3 + 1, dtype=np.uint8).reshape(5, 4, 3)
    assert np.array_equal(cut(picture, Tile(1, 2, 3)), picture[2:5, 1:4])
    around = cut(picture, Tile(-2, -1, 8))
    assert np.array_equal(around[1:6, 2:6], picture) and around.sum() == picture.sum()
