"""Painting of brows, eyes, nose and mouth, whose shape depends on the action units.

`side` is -1 for the left side of the image, which is the person's right, and 1 for the other side. Numbers in the
docstrings are action units.
"""

import numpy as np

from stages.sources.drawing.canvas import Canvas, bump, line, scale
from stages.sources.drawing.people import Person

DARK = (0.08, 0.05, 0.05)
WHITE = (0.92, 0.90, 0.89)


class Units(dict[str, float]):
    """Action unit → intensity, 0 if missing; the suffix R means the person's right side only."""

    def __missing__(self, unit: str) -> float:
        return 0.0

    def on(self, unit: str, side: int) -> float:
        """Return the intensity of a unit on one side of the face."""
        return self[unit] + (self[unit + "R"] if side < 0 else 0.0)


def paint_brow(canvas: Canvas, person: Person, units: Units, side: int) -> None:
    """Paint a brow: 1 raises the inner end, 2 the outer end; 4 and 9 lower it and move it inwards."""
    rest = person.brow_height
    inner = rest - person.brow_tilt + 0.13 * units["1"] + 0.02 * units["2"] - 0.13 * units["4"] - 0.06 * units["9"]
    middle = rest + 0.05 + 0.06 * units["1"] + 0.11 * units["2"] - 0.08 * units["4"] - 0.04 * units["9"]
    outer = rest + person.brow_tilt - 0.02 * units["1"] + 0.10 * units["2"] - 0.02 * units["4"] - 0.02 * units["6"]
    start, end = 0.14 - 0.035 * units["4"] - 0.015 * units["9"], person.eye_distance + 0.22
    canvas = canvas.crop((side * (start + end) / 2, -rest), (0.35, 0.4))
    t = (canvas.u * side - start) / (end - start)
    arch = (1 - t) * (1 - 2 * t) * inner + 4 * t * (1 - t) * middle + t * (2 * t - 1) * outer
    half = person.brow_width / 2 * (1.2 - 0.7 * np.clip(t, 0, 1))
    coverage = canvas.coverage(half - np.abs(canvas.v + arch), 0.02) * canvas.coverage(
        np.minimum(t, 1 - t) * 0.45, 0.03
    )
    canvas.paint(0.9 * coverage, scale(person.hair, 0.75))


def paint_eye(canvas: Canvas, person: Person, units: Units, side: int) -> None:
    """Paint an eye: 5 raises the upper lid, 1 its inner end; 4, 6, 7 and 9 narrow it; 6 and 7 add wrinkles."""
    canvas = canvas.crop((side * person.eye_distance, 0), (0.38, 0.3))
    u, v, width = canvas.u * side - person.eye_distance, canvas.v, person.eye_width
    t = u / width
    arch = np.maximum(1 - t * t, 0)
    narrow = 0.10 * units["4"] + 0.25 * units["6"] + 0.35 * units["7"] + 0.20 * units["9"]
    above = person.eye_opening * max(1 + 0.9 * units["5"] + 0.15 * units["2"] - narrow, 0.15)
    below = 0.6 * person.eye_opening * max(1 + 0.25 * units["5"] - 1.6 * narrow, 0.1)
    upper = -person.eye_tilt * t - above * arch + 0.02 * units["1"] * (t - 0.5)
    lower = -person.eye_tilt * t + below * arch
    ends = (1 - np.abs(t)) * width
    opening = canvas.coverage(np.minimum(np.minimum(v - upper, lower - v), ends))
    canvas.paint(0.95 * opening, WHITE)
    gaze = np.sqrt(u * u + (v + 0.012) ** 2)
    canvas.paint(opening * canvas.coverage(0.072 - gaze), (person.iris, 0.8 * person.iris, 0.6 * person.iris))
    canvas.paint(opening * canvas.coverage(0.032 - gaze), DARK)
    canvas.paint(opening * bump(u * side, v, (-0.02, -0.035), (0.025, 0.025)), WHITE)
    corners = canvas.coverage(ends + 0.01)
    canvas.paint(0.85 * corners * canvas.coverage(0.014 - np.abs(v - upper), 0.01), DARK)
    canvas.paint(0.30 * corners * canvas.coverage(0.008 - np.abs(v - lower), 0.01), DARK)
    canvas.shade(corners * canvas.coverage(0.010 - np.abs(v - upper + 0.05), 0.02), 0.3)
    for slope in (-0.05, 0.02, 0.09):
        crow = line(u, v, (width + 0.03, slope / 2), (width + 0.15, slope), 0.03)
        canvas.shade(crow, 0.35 * min(person.wrinkles * units["6"], 1))
    bag = 0.08 * person.wrinkles + 0.12 * units["6"] + 0.08 * units["7"]
    canvas.shade(bump(u, v, (0, below + 0.06), (width, 0.04)), bag)


def paint_nose(canvas: Canvas, person: Person, units: Units) -> None:
    """Paint the nose: 9 raises and widens the wings and wrinkles the bridge; 4 and 9 add furrows between the brows."""
    canvas = canvas.crop((0, 0.1), (0.25, 0.55))
    u, v = canvas.u, canvas.v
    tip = person.nose_length - 0.03 * units["9"] - 0.01 * units["10"]
    wide = person.nose_width * (1 + 0.15 * units["9"] + 0.08 * units["12"])
    canvas.shade(bump(u, v, (0, tip + 0.07), (wide, 0.05)), 0.25)
    for side in (-1, 1):
        canvas.paint(0.7 * bump(u, v, (0.5 * wide * side, tip + 0.05), (0.06, 0.035)), DARK)
        canvas.shade(line(u, v, (wide * side, tip - 0.05), (wide * side * 0.9, tip + 0.05), 0.06), 0.2)
        furrow = line(u, v, (0.05 * side, -0.26), (0.04 * side, -0.11), 0.05)
        canvas.shade(furrow, 0.45 * min(person.wrinkles * (units["4"] + 0.4 * units["9"]), 1))
    for height in (-0.06, 0.0, 0.06):
        wrinkle = canvas.coverage(0.01 - np.abs(v - height - 0.3 * np.abs(u)), 0.015) * bump(u, v, (0, 0), (0.13, 1))
        canvas.shade(wrinkle, 0.5 * min(units["9"], 1))


def paint_mouth(canvas: Canvas, person: Person, units: Units) -> None:
    """Paint the mouth.

    Corners: 12 raises and widens them, 15 lowers, 20 widens and 14 narrows them. Lips: 25, 26 and 27 part them, and
    23 makes them thin.
    """
    lift = 0.035 * units["10"] + 0.015 * units["9"] + 0.04 * units["17"]
    rest = person.mouth_height - lift
    canvas = canvas.crop((0, rest + 0.1), (0.55, 0.5))
    u, v = canvas.u, canvas.v
    wider = 0.25 * units["20"] - 0.08 * units["23"] - 0.22 * units["27"] - 0.05 * units["26"] - 0.06 * units["17"]
    lower_corners = person.lip_corners + 0.12 * units["15"] + 0.02 * units["20"]
    width, corner = np.empty_like(u), np.empty_like(u)
    for side, half in ((-1, u < 0), (1, u >= 0)):
        smile, dimple = units.on("12", side), units.on("14", side)
        width[half] = end = person.mouth_width * (1 + wider + 0.26 * smile - 0.10 * dimple)
        corner[half] = fall = lower_corners - 0.15 * smile - 0.05 * dimple
        paint_fold(canvas, person, units, side, (end, rest + fall))
        canvas.shade(bump(u, v, (side * end, rest + fall), (0.06, 0.06)), 0.3 + 0.3 * min(dimple, 1))
    t = np.minimum(np.abs(u) / width, 1)
    arch, oval = 1 - t * t, np.sqrt(1 - t * t)
    ends = width - np.abs(u)
    middle = rest + corner * t * t - 0.02 * units["15"] * arch
    parted = 0.06 * units["25"] + 0.18 * units["26"] + 0.25 * units["27"]
    lips = person.lips * max(1 - 0.55 * units["23"] - 0.15 * units["12"] - 0.2 * units["20"], 0.3)
    top = middle - (0.3 * parted + 0.02 * units["10"]) * oval
    bottom = middle + (0.7 * parted + 0.02 * units["12"] * min(units["25"], 1)) * oval
    upper = top - 0.75 * lips * arch * (1 - 0.35 * bump(u, v, (0, rest), (0.09, 1)))
    lower = bottom + lips * (1 + 0.15 * units["17"]) * arch
    red, green, blue = person.skin
    pink = (0.8 * red, (0.75 - 0.25 * person.lip_red) * green, (0.75 - 0.2 * person.lip_red) * blue)
    canvas.shade(bump(u, v - lower, (0, 0.035), (0.2, 0.05)), 0.2 + 0.15 * min(units["17"], 1))
    canvas.paint(0.9 * canvas.coverage(np.minimum(np.minimum(v - upper, lower - v), ends), 0.012), pink)
    canvas.shade(canvas.coverage(np.minimum(np.minimum(v - upper, top - v), ends), 0.012), 0.18)
    hollow = canvas.coverage(np.minimum(np.minimum(v - top, bottom - v), ends)) * min(20 * parted, 1)
    canvas.paint(hollow, (0.16, 0.05, 0.05))
    canvas.paint(hollow * bump(u, v, (0, rest + 0.75 * parted), (0.17, 0.11)), (0.55, 0.25, 0.24))
    show = 0.7 * units["12"] + 0.6 * units["10"] + 0.5 * units["20"] + 0.25 * units["26"] + 0.4 * units["4"]
    canvas.paint(min(show, 1) * hollow * canvas.coverage(np.minimum(top + 0.07 - v, ends - 0.02), 0.01), WHITE)
    seam = canvas.coverage(0.012 - np.abs(v - 0.5 * (top + bottom)), 0.012) * canvas.coverage(ends)
    canvas.paint(0.75 * max(1 - 20 * parted, 0) * seam, DARK)


def paint_fold(canvas: Canvas, person: Person, units: Units, side: int, corner: tuple[float, float]) -> None:
    """Paint the fold from a wing of the nose to a corner of the mouth; 9, 10 and 12 deepen it."""
    u, v = canvas.u * side, canvas.v
    start, end = person.nose_length - 0.02, corner[1] + 0.06
    t = np.clip((v - start) / (end - start), 0, 1)
    curve = person.nose_width + 0.03 + (corner[0] + 0.05 - person.nose_width) * t + 0.16 * t * (1 - t)
    deep = 0.12 * person.wrinkles + 0.25 * units.on("12", side) + 0.2 * units["10"] + 0.2 * units["9"]
    canvas.shade(4 * t * (1 - t) * np.maximum(1 - ((u - curve) / 0.045) ** 2, 0), min(deep, 0.5))
