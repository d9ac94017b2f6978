"""Random distortion of faces, as tensor operations on the device."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from stages.models.preprocessing import to_images

AMOUNTS = 8  # random numbers per face
# Largest changes at strength 1.
ROTATION = math.radians(15)
SCALE = 0.15  # share of the size
SHIFT = 0.1  # share of the side
SHEAR = 0.1  # shift of the top edge, as a share of half the side
BRIGHTNESS = 0.2  # share of the range from black to white
CONTRAST = 0.3  # share of the contrast


def augment(images: Tensor, size: int, strength: float, amounts: Tensor) -> Tensor:
    """Return randomly changed images, resized in the same resampling.

    Each image is mirrored with probability 0.5, and rotated, scaled, shifted, sheared, and changed in brightness and
    contrast. The changes differ from image to image and are uniform up to `strength` times the constants above.
    Contrast is scaled about the middle grey.

    Args:
        images: N×C×H×W, 0 to 1.
        size: height and width of the result in pixels.
        strength: 0 for resizing only.
        amounts: the random numbers, uniform from 0 to 1, AMOUNTS×N.

    Returns:
        N×C×size×size, 0 to 1.
    """
    if size < images.shape[-1]:  # sampling at the grid's points alone would skip pixels
        images = functional.interpolate(images, (size, size), mode="bilinear", antialias=True)

    side, *changes = amounts
    mirror = torch.where(side < 0.5 * min(strength, 1), -1.0, 1.0)
    limits = (ROTATION, SHEAR, SCALE, 2 * SHIFT, 2 * SHIFT, CONTRAST, BRIGHTNESS)
    angle, shear, scale, right, down, contrast, brightness = (
        ((change * 2 - 1) * limit * strength).view(-1, 1, 1) for change, limit in zip(changes, limits, strict=True)
    )
    zoom = scale.exp()
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    # torch's affine_grid computes the same positions, but as a product of matrices, which takes ten times as long.
    centres = (2 * torch.arange(size, device=images.device) + 1) / size - 1
    x, y = mirror.view(-1, 1, 1) * centres, centres.view(-1, 1)
    grid = torch.stack([cos * x + (shear * cos - sin) * y + right, sin * x + (shear * sin + cos) * y + down], 3)
    images = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return ((images - 0.5) * (1 + contrast.unsqueeze(1)) + 0.5 + brightness.unsqueeze(1)).clamp(0, 1)


def augmented_examples(face: np.ndarray, count: int, strength: float, seed: int) -> list[np.ndarray]:
    """Return a face followed by `count` randomly augmented copies of it.

    Args:
        face: uint8, H×H or H×H×3.
        count: number of copies.
        strength: as in `augment`.
        seed: seed of the random numbers.

    Returns:
        Images of the same shape and type as `face`.
    """
    amounts = torch.rand(AMOUNTS, count, generator=torch.Generator().manual_seed(seed))
    images = augment(to_images(torch.as_tensor(np.stack([face] * count))), face.shape[0], strength, amounts)
    pixels = images.mul(255).round().byte().permute(0, 2, 3, 1).numpy()
    return [face, *pixels.reshape(count, *face.shape)]
