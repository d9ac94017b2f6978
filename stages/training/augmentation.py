"""Random distortion of faces, as tensor operations on the device."""

import math

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional

from stages.models.preprocessing import to_images

# Largest changes at strength 1.
ROTATION = math.radians(15)
SCALE = 0.15  # share of the size
SHIFT = 0.1  # share of the side
SHEAR = 0.1  # shift of the top edge, as a share of half the side
BRIGHTNESS = 0.2  # share of the range from black to white
CONTRAST = 0.3  # share of the contrast


def draw(shape: torch.Size, strength: float, generator: Generator) -> Tensor:
    """Return random changes of images, for `augment`.

    Each image is mirrored with probability `strength` / 2, at most 0.5. The other changes are uniform up to `strength`
    times the constants above, in both directions.

    Args:
        shape: shape of the images' positions.
        strength: 0 for no change.
        generator: source of the random numbers, on the CPU.

    Returns:
        float32, 8×shape: side (-1 for a mirrored image, otherwise 1), rotation, shear, logarithm of the scale, shifts
        to the right and down, contrast, brightness.
    """
    sides, *amounts = torch.rand(8, *shape, generator=generator)
    limits = (ROTATION, SHEAR, SCALE, 2 * SHIFT, 2 * SHIFT, CONTRAST, BRIGHTNESS)
    changes = [(amount * 2 - 1) * limit * strength for amount, limit in zip(amounts, limits, strict=True)]
    return torch.stack([torch.where(sides < 0.5 * min(strength, 1), -1.0, 1.0), *changes])


def augment(images: Tensor, size: int, changes: Tensor) -> Tensor:
    """Return images mirrored, rotated, scaled, shifted, sheared, and changed in brightness and contrast.

    They are resized in the same resampling. Contrast is scaled about the middle grey.

    Args:
        images: N×C×H×W, 0 to 1.
        size: height and width of the result in pixels.
        changes: what `draw` returned, 8×N, on the device of the images.

    Returns:
        N×C×size×size, 0 to 1.
    """
    if size < images.shape[-1]:  # sampling at the grid's points alone would skip pixels
        images = functional.interpolate(images, (size, size), mode="bilinear", antialias=True)

    side, angle, shear, scale, right, down, contrast, brightness = changes.view(8, -1, 1, 1)
    zoom = scale.exp()
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    # torch's affine_grid computes the same positions, but as a product of matrices, which takes ten times as long.
    centres = (2 * torch.arange(size, device=images.device) + 1) / size - 1
    x, y = side * centres, centres.view(-1, 1)
    grid = torch.stack([cos * x + (shear * cos - sin) * y + right, sin * x + (shear * sin + cos) * y + down], 3)
    images = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    contrast, brightness = contrast.unsqueeze(1), brightness.unsqueeze(1)
    return ((images - 0.5) * (1 + contrast) + 0.5 + brightness).clamp(0, 1)


def augmented_examples(face: np.ndarray, count: int, strength: float, seed: int) -> list[np.ndarray]:
    """Return a face followed by `count` randomly augmented copies of it.

    Args:
        face: uint8, H×H or H×H×3.
        count: number of copies.
        strength: as in `draw`.
        seed: seed of the random numbers.

    Returns:
        Images of the same shape and type as `face`.
    """
    changes = draw(torch.Size([count]), strength, Generator().manual_seed(seed))
    images = augment(to_images(torch.as_tensor(np.stack([face] * count))), face.shape[0], changes)
    pixels = images.mul(255).round().byte().permute(0, 2, 3, 1).numpy()
    return [face, *pixels.reshape(count, *face.shape)]
