"""Random distortions of a batch of faces, as tensor operations on the device."""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

from stages.training.processes import draw

# The largest distortion at strength 1.
ROTATION = math.radians(15)
SCALE = 0.15  # share of the size
SHIFT = 0.1  # share of the side
SHEAR = 0.1  # shift of the top edge, as a share of half the side
BRIGHTNESS = 0.2  # of the range from black to white
CONTRAST = 0.3  # share of the contrast


def distort(images: Tensor, size: int, strength: float, generator: Generator) -> Tensor:
    """Distort images N×C×H×W, 0 to 1, and resize them to N×C×size×size in the same resampling.

    Each image is mirrored or not, and rotated, scaled, shifted, sheared, and changed in brightness and contrast by
    amounts drawn for it alone, uniform up to `strength` times the constants above; 0 only resizes. Contrast is about
    the middle grey, and results stay within 0 to 1.
    """
    count = len(images)
    if size < images.shape[-1]:  # sampling alone would skip pixels
        images = functional.interpolate(images, (size, size), mode="bilinear", antialias=True)

    side, *amounts = draw(8, count, generator)
    mirror = torch.where(side < 0.5 * min(strength, 1), -1.0, 1.0)
    limits = (ROTATION, SHEAR, SCALE, 2 * SHIFT, 2 * SHIFT, CONTRAST, BRIGHTNESS)
    angle, shear, scale, right, down, contrast, brightness = (
        (amount * 2 - 1) * limit * strength for amount, limit in zip(amounts, limits)
    )
    zoom = scale.exp()
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    rows = [mirror * cos, shear * cos - sin, right, mirror * sin, shear * sin + cos, down]
    grid = functional.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), [count, 1, size, size], align_corners=False)
    images = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)

    contrast, brightness = (1 + contrast).view(-1, 1, 1, 1), brightness.view(-1, 1, 1, 1)
    return ((images - 0.5) * contrast + 0.5 + brightness).clamp(0, 1)
