"""Random erasing: noise in place of a rectangle of a face.

Zhong et al., Random erasing data augmentation, AAAI 2020.
"""

import math

import torch
from torch import Generator, Tensor

AMOUNTS = 5  # random numbers per face
AREA = 0.02, 1 / 3  # of the rectangle, as shares of the image
ASPECT = 0.3  # the smallest ratio of height to width; the largest is its inverse


def erase(images: Tensor, share: float, amounts: Tensor, generator: Generator) -> Tensor:
    """Return the images, some of them with normally distributed noise in a random rectangle.

    Args:
        images: normalised, N×C×size×size.
        share: probability that a rectangle of an image is erased, 0 to 1.
        amounts: random numbers, uniform from 0 to 1, AMOUNTS×N: whether there is a rectangle, its area, its aspect
            ratio, and its position.
        generator: source of the noise, on the device of the images.
    """
    size = images.shape[-1]
    chosen, area, aspect, top, left = amounts.view(AMOUNTS, -1, 1, 1, 1)
    area = size * size * (AREA[0] + (AREA[1] - AREA[0]) * area)
    aspect = torch.exp((2 * aspect - 1) * -math.log(ASPECT))
    height, width = ((area * ratio).sqrt().clamp(max=size) for ratio in (aspect, 1 / aspect))
    top, left = top * (size - height), left * (size - width)
    row = torch.arange(size, device=images.device).view(-1, 1)
    column = row.view(1, -1)
    inside = (row >= top) & (row < top + height) & (column >= left) & (column < left + width)
    noise = torch.empty_like(images).normal_(generator=generator)
    return torch.where(inside & (chosen < share), noise, images)
