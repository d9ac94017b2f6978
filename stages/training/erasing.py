"""Random erasing: noise in place of a rectangle of a face.

Zhong et al., Random erasing data augmentation, AAAI 2020.
"""

import math

import torch
from torch import Generator, Tensor

AREA = 0.02, 1 / 3  # of a rectangle, as shares of the image
ASPECT = 0.3  # smallest ratio of height to width; the largest is its inverse


def draw(shape: torch.Size, share: float, size: int, generator: Generator) -> Tensor:
    """Return random rectangles, for `erase`.

    Args:
        shape: shape of the images' positions.
        share: probability that an image has a rectangle; the others have an empty one.
        size: height and width of the images in pixels.
        generator: source of the random numbers, on the CPU.

    Returns:
        float32, 4×shape: top, bottom, left and right edge in pixels.
    """
    chosen, area, aspect, top, left = torch.rand(5, *shape, generator=generator)
    area = size**2 * (AREA[0] + (AREA[1] - AREA[0]) * area) * (chosen < share)
    aspect = torch.exp((2 * aspect - 1) * -math.log(ASPECT))
    height, width = ((area * ratio).sqrt().clamp(max=size) for ratio in (aspect, 1 / aspect))
    top, left = top * (size - height), left * (size - width)
    return torch.stack([top, top + height, left, left + width])


def erase(images: Tensor, rectangles: Tensor, generator: Generator) -> Tensor:
    """Return the images with normally distributed noise in a rectangle of each.

    Args:
        images: normalised, N×C×size×size.
        rectangles: what `draw` returned, 4×N, on the device of the images.
        generator: source of the noise, on the same device.
    """
    top, bottom, left, right = rectangles.view(4, -1, 1, 1, 1)
    column = torch.arange(images.shape[-1], device=images.device)
    row = column.view(-1, 1)
    inside = (row >= top) & (row < bottom) & (column >= left) & (column < right)
    return torch.where(inside, torch.empty_like(images).normal_(generator=generator), images)
