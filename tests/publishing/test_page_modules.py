"""The page's modules compute what Python computes: byte by byte where Pillow does it."""

import base64
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from scipy.optimize import linear_sum_assignment

from helpers.browser import Browser
from helpers.published import served
from stages.datasets.crop import cut_out
from stages.detection.detector import Box
from stages.detection.tiles import tiles
from stages.prediction.classifier import Face
from stages.prediction.tracking import Tracker
from stages.publishing.site import SOURCES


@pytest.fixture(scope="module")
def tab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    with served(SOURCES / "modules") as url, browser.opened(url, "light", 800) as opened:
        yield opened.tab


def run(tab, module: str, code: str, value: object) -> list:
    """Return what JavaScript that uses a module, `m`, gives for `value`."""
    return tab.evaluate(f"""async (value) => {{
        const m = await import("/{module}.js");
        const {{ Picture }} = await import("/picture.js");
        const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
        const picture = ({{ width, height, channels, data }}) => new Picture(width, height, channels, bytes(data));
        const text = ({{ data }}) => btoa(Array.from(data, (level) => String.fromCharCode(level)).join(""));
        {code}
    }}""", value)  # fmt: skip


def encoded(pixels: np.ndarray | Image.Image) -> str:
    return base64.b64encode(np.asarray(pixels).tobytes()).decode()


def described(pixels: np.ndarray) -> dict:
    height, width = pixels.shape[:2]
    return {"width": width, "height": height, "channels": pixels.size // width // height, "data": encoded(pixels)}


def noise(height: int, width: int, *channels: int) -> np.ndarray:
    """Noise, of which much is black or white, so that sums pass both limits."""
    levels = np.random.default_rng(0).integers(-200, 456, (height, width, *channels))
    return levels.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(181, 143), (90, 133), (300, 211), (60, 60), (2, 300), (48, 48)])
def test_a_picture_that_a_face_fills_becomes_the_square_that_python_makes(tab, shape: tuple[int, int], channels: int):
    pixels = noise(*shape, 3)
    box = Box(0, 0, shape[1], shape[0], 0.9)
    code = f"return [text(m.cutOut(picture(value[0]), value[1], 48, {channels}))];"
    expected = cut_out(pixels, box, 48, channels)
    assert run(tab, "crop", code, [described(pixels), box._asdict()]) == [encoded(expected)]


@pytest.mark.parametrize("shape", [(5, 7), (48, 48, 3), (61, 133), (200, 37, 3), (1, 90, 3), (300, 211)])
def test_resizing_is_pillows(tab, shape: tuple[int, ...]):
    pixels = noise(*shape)
    sizes = [(48, 48), (224, 224), (12, 12), (shape[1], 20), (31, shape[0])]
    for name in ("BICUBIC", "BOX"):
        code = f"return value[1].map((size) => text(m.resize(picture(value[0]), ...size, m.{name})));"
        expected = [encoded(Image.fromarray(pixels).resize(size, Image.Resampling[name])) for size in sizes]
        assert run(tab, "resizing", code, [described(pixels), sizes]) == expected, name


def test_rotation_is_pillows(tab):
    pixels = noise(90, 90, 3)
    angles = [0, 3.7, -12.25, 90, 179.5, -90, 271.3, 1e-5]
    upright = [np.asarray(Image.fromarray(pixels).rotate(angle, Image.Resampling.BICUBIC)) for angle in angles]
    for start, side in ((0, 90), (20, 51)):
        code = f"return value[1].map((angle) => text(m.rotated(picture(value[0]), angle, {start}, {start}, {side})));"
        expected = [encoded(whole[start : start + side, start : start + side]) for whole in upright]
        assert run(tab, "rotating", code, [described(pixels), angles]) == expected


def test_grey_levels_are_pillows(tab):
    pixels = noise(100, 100, 3)
    told = run(tab, "picture", "return text(m.grey(picture(value)));", described(pixels))
    assert told == encoded(Image.fromarray(pixels).convert("L"))


def test_tiles_are_those_of_python(tab):
    sides = [1, 47, 48, 333, 511, 512, 640, 719, 1023, 1024, 1365, 2048]
    sizes = [(width, height, small) for width in sides for height in sides for small in (True, False)]
    told = run(tab, "tiles", "return value.map((size) => m.tiles(...size).map(Object.values));", sizes)
    for (width, height, small), found in zip(sizes, told, strict=True):
        assert found == [list(tile) for level in tiles(height, width, small) for tile in level], (width, height, small)


def test_assignments_cost_the_least(tab):
    rng = np.random.default_rng(0)
    for rows, columns in [(0, 0), (1, 0), (1, 1), (2, 2), (3, 5), (5, 3), (8, 8), (12, 9)]:
        costs = rng.uniform(0, 3, (rows, columns))
        told = run(tab, "assignment", "return m.assign(value);", costs.tolist())
        pairs = {(row, column) for row, column in enumerate(told) if column is not None and column >= 0}
        assert pairs == set(zip(*(side.tolist() for side in linear_sum_assignment(costs)), strict=True))


def test_people_are_followed_as_in_python(tab):
    """Two people cross, one is hidden meanwhile, and a third one comes for the last frames."""
    rng, tracker, frames, expected = np.random.default_rng(0), Tracker(), [], []
    for number in range(24):
        picture = np.full((50, 120, 3), 90, np.uint8)
        picture[20:44, 10 + 4 * number : 34 + 4 * number] = 220
        boxes = [(10 + 4 * number, 20, 34 + 4 * number, 44)]
        if not 9 < number < 13:
            picture[16:40, 96 - 4 * number : 120 - 4 * number] = 150
            boxes.append((96 - 4 * number, 16, 120 - 4 * number, 40))
        if number > 20:
            boxes.append((90, 1, 110, 21))
        shares = rng.uniform(0, 1, len(boxes)).tolist()
        faces = [
            Face(Box(*(np.array(box) + rng.normal(0, 0.3, 4)).tolist(), 0.9), {"a": share, "b": 1 - share})
            for box, share in zip(boxes, shares, strict=True)
        ]
        followed = sorted(tracker(picture, faces, number / 12), key=lambda pair: pair[0])
        expected.append([[person, *face.probabilities.values()] for person, face in followed])
        js = [{"box": face.box._asdict(), "probabilities": list(face.probabilities.values())} for face in faces]
        frames.append([described(picture), js, number / 12])
    told = run(tab, "tracking", """
        const tracker = new m.Tracker();
        return value.map(([frame, faces, time]) => tracker.follow(picture(frame), faces, time)
            .map(({ person, probabilities }) => [person, ...probabilities]));
    """, frames)  # fmt: skip
    assert {face[0] for frame in expected for face in frame} == {1, 2, 3}
    for one, other in zip(told, expected, strict=True):
        assert [face[0] for face in one] == [face[0] for face in other]
        assert np.array(one) == pytest.approx(np.array(other), abs=1e-9)
