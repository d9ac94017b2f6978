"""Drawing of one face: painted features, shading from a height map, and hair."""

import numpy as np

from stages.sources.drawing.camera import Style, View, to_pixels
from stages.sources.drawing.canvas import Canvas, bump, line, scale
from stages.sources.drawing.features import DARK, Units, paint_brow, paint_eye, paint_mouth, paint_nose
from stages.sources.drawing.people import Person


def draw(person: Person, units: dict[str, float], view: View, style: Style, rng: np.random.Generator) -> np.ndarray:
    """Draw one image.

    Args:
        person: the face without expression.
        units: action unit → intensity, about 0 to 1.2.
        view: pose, lighting and background.
        style: size, colour and oversampling.
        rng: source of the image noise; nothing else is random.

    Returns:
        uint8, H×W (grey) or H×W×3 (RGB).
    """
    units = Units(units)
    chin = person.chin + 0.13 * units["27"] + 0.07 * units["26"] - 0.02 * units["17"]
    canvas = empty_canvas(person, view, style)
    paint_backdrop(canvas, view)
    paint_ears(canvas, person)
    head = head_distance(canvas, person, chin)
    paint_hair(canvas, person, head, behind=True)
    paint_body(canvas, person, chin)
    skin = canvas.coverage(head, 0.02)
    canvas.paint(skin, person.skin)
    paint_beard(canvas, person, skin)
    paint_forehead(canvas, person, units)
    paint_nose(canvas, person, units)
    paint_mouth(canvas, person, units)
    for side in (-1, 1):
        paint_eye(canvas, person, units, side)
        paint_brow(canvas, person, units, side)
    canvas.pixels *= 1 + skin * (lambert_shading(height_map(canvas, person, units, chin), canvas.pixel, view) - 1)
    if person.glasses:
        paint_glasses(canvas, person)
    paint_hair(canvas, person, head, behind=False)
    return to_pixels(canvas.pixels, view, style, rng)


def empty_canvas(person: Person, view: View, style: Style) -> Canvas:
    """Return a black canvas with the coordinates of every pixel."""
    width, height = (side * style.oversample for side in style.size)
    pixel = view.span / width
    across = (np.arange(width, dtype=np.float32)[None, :] + (0.5 - width / 2)) * pixel
    down = (np.arange(height, dtype=np.float32)[:, None] + (0.5 - height / 2)) * pixel
    x = across + view.roll * down + view.x
    y = down - view.roll * across + view.y
    depth = np.sqrt(np.maximum(1 - (x / person.width) ** 2 - ((y - 0.2) / 1.05) ** 2, 0))
    pixels = np.zeros((3 if style.colour else 1, height, width), np.float32)
    return Canvas(x, y, x - view.yaw * depth, y - view.pitch * depth, pixel, pixels)


def head_distance(canvas: Canvas, person: Person, chin: float) -> np.ndarray:
    """Return the signed distance to the egg-shaped outline of the head, H×W, positive inside, about in face units."""
    low = np.maximum(canvas.y, 0) / chin
    across = canvas.x / (person.width * (1 - (0.30 - 0.15 * person.jaw) * low))
    along = low * low * (low + person.jaw * low * (low - 1)) + (np.minimum(canvas.y, 0) / person.crown) ** 2
    return (1 - np.sqrt(across * across + along)) * person.width


def height_map(canvas: Canvas, person: Person, units: Units, chin: float) -> np.ndarray:
    """Return the height of the face towards the camera, H×W in face units; units 6 and 12 raise the cheeks."""
    u, v, tip = canvas.u, canvas.v, person.nose_length
    sphere = 1.06 - (canvas.x / person.width) ** 2 - ((canvas.y - 0.1) / (chin + 0.05)) ** 2
    z = 0.55 * np.sqrt(np.maximum(sphere, 0.02))
    z += 0.11 * bump(u, v, (0, 0.18), (0.16, 0.45)) + 0.12 * bump(u, v, (0, tip - 0.02), (0.16, 0.16))
    z += 0.05 * bump(u, v, (0, person.mouth_height), (0.42, 0.26)) + 0.06 * bump(u, v, (0, chin - 0.12), (0.24, 0.17))
    cheek, lifted = 0.05 + 0.05 * units["6"] + 0.03 * units["12"], 0.06 * units["6"] + 0.03 * units["12"]
    for side in (-1, 1):
        z += 0.05 * bump(u, v, (side * person.nose_width * 0.85, tip), (0.09, 0.09))
        z += 0.05 * bump(u, v, (side * 0.3, -0.2), (0.3, 0.13))
        z -= 0.06 * bump(u, v, (side * (person.eye_distance - 0.04), 0.0), (0.24, 0.16))
        z += cheek * bump(u, v, (side * 0.43, 0.40 - lifted), (0.27, 0.24))
    return z


def lambert_shading(z: np.ndarray, pixel: float, view: View) -> np.ndarray:
    """Return the brightness of a matt surface with height `z` in directional and ambient light (Lambert's law), H×W."""
    slope_x, slope_y = np.zeros_like(z), np.zeros_like(z)
    slope_x[:, 1:-1] = (z[:, 2:] - z[:, :-2]) / (2 * pixel)
    slope_y[1:-1] = (z[2:] - z[:-2]) / (2 * pixel)
    light_x, light_y = view.light
    facing = 1 - slope_x * light_x - slope_y * light_y
    facing /= np.sqrt((slope_x * slope_x + slope_y * slope_y + 1) * (light_x**2 + light_y**2 + 1))
    return view.ambient + (1.15 - view.ambient) * np.maximum(facing, 0)


def paint_backdrop(canvas: Canvas, view: View) -> None:
    """Paint a plain wall that is darker on one side, and blurred objects in front of it in some styles."""
    (bright, hue, slope, *_), *objects = view.backdrop
    canvas.paint(1.0, (0.15 + 0.65 * bright, 0.15 + 0.6 * bright, 0.1 + 0.5 * bright + 0.2 * hue))
    canvas.pixels *= 1 + 0.3 * (slope - 0.5) * canvas.x
    for x, y, width, height, red, green, blue in objects:
        coverage = bump(canvas.x, canvas.y, (3 * x - 1.5, 3 * y - 1.3), (0.2 + width, 0.2 + height))
        canvas.paint(coverage, (red, 0.7 * red + 0.3 * green, 0.7 * red + 0.3 * blue))


def paint_ears(canvas: Canvas, person: Person) -> None:
    """Paint the ears, which long hair covers later."""
    ears = bump(np.abs(canvas.x), canvas.y, (person.width, 0.12), (0.13, 0.25))
    canvas.paint(canvas.coverage(ears - 0.2, 0.1), scale(person.skin, 0.75))


def paint_body(canvas: Canvas, person: Person, chin: float) -> None:
    """Paint the neck and the shoulders."""
    neck = np.minimum(0.6 * person.width - np.abs(canvas.x), canvas.y - 0.3)
    canvas.paint(canvas.coverage(neck, 0.03), scale(person.skin, 0.6))
    slope = canvas.y - chin - 0.28 - 0.35 * np.maximum(np.abs(canvas.x) - 0.3, 0)
    canvas.paint(canvas.coverage(slope, 0.03), person.clothes)


def paint_hair(canvas: Canvas, person: Person, head: np.ndarray, behind: bool) -> None:
    """Paint the hair behind the head, or the hair in front of it around the oval of the face; none on a bald head."""
    if person.hair_volume == 0:
        return
    x, y = canvas.x, canvas.y
    outline = head + person.hair_volume
    if behind:
        fall = np.where(y > 0, person.width + person.hair_volume - np.abs(x), outline)
        coverage = canvas.coverage(np.minimum(fall, person.hair_length - y), 0.04)
    else:
        oval = 1 - (x / (0.95 * person.width)) ** 2 - ((y + person.parting * x - 0.3) / (person.hairline + 0.3)) ** 2
        sides = min(person.hair_length, 0.35) - 0.1 - y
        coverage = canvas.coverage(np.minimum(np.minimum(outline, -0.4 * oval), sides), 0.04)
    strands = np.abs((5 * x + 4 * x * y) % 1 - 0.5) + np.abs((13 * x + 3 * y) % 1 - 0.5)
    canvas.paint(coverage, person.hair)
    canvas.pixels *= 1 + coverage * (0.4 * strands - 0.2)


def paint_forehead(canvas: Canvas, person: Person, units: Units) -> None:
    """Paint wrinkles across the forehead if units 1 and 2 raise the brows."""
    raised = min(person.wrinkles * (0.6 * units["1"] + 0.5 * units["2"]), 1)
    for height in (-0.48, -0.41, -0.34):
        canvas.shade(line(canvas.u, canvas.v, (-0.3, height), (0.3, height), 0.04), 0.25 * raised)


def paint_beard(canvas: Canvas, person: Person, skin: np.ndarray) -> None:
    """Paint a beard and moustache from the temples down; most faces have none."""
    if person.beard:
        below = canvas.v - 0.56 + 0.5 * canvas.u * canvas.u
        canvas.paint(person.beard * skin * canvas.coverage(below, 0.1), person.hair)


def paint_glasses(canvas: Canvas, person: Person) -> None:
    """Paint the rims and the bridge of glasses."""
    for side in (-1, 1):
        distance = np.sqrt(((canvas.u - side * person.eye_distance) / 1.15) ** 2 + (canvas.v - 0.02) ** 2)
        canvas.paint(0.9 * canvas.coverage(0.016 - np.abs(distance - 0.19), 0.008), DARK)
    canvas.paint(line(canvas.u, canvas.v, (-0.14, -0.02), (0.14, -0.02), 0.04), DARK)
