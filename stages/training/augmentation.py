"""Random distortions of a batch of faces, as tensor operations on the device."""

import math

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional

from stages.base.params import Train
from stages.models.preprocessing import Inputs, to_images
from stages.training.distributed import draw

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


def distorted(face: np.ndarray, count: int, strength: float, seed: int) -> list[np.ndarray]:
    """A face, uint8 H×H or H×H×3, as it is and `count` times as training distorts it with `strength`, each alike."""
    images = to_images(torch.as_tensor(np.stack([face] * count)))
    images = distort(images, face.shape[0], strength, torch.Generator().manual_seed(seed))
    pixels = images.mul(255).round().byte().permute(0, 2, 3, 1).numpy()
    return [face, *pixels.reshape(count, *face.shape)]


class Batches:
    """Makes batches by a recipe's `strength`, `erasing`, `mixup`, `cutmix` and `label_smoothing`."""

    def __init__(self, recipe: Train, inputs: Inputs, classes: int, device: str) -> None:
        from timm.data.mixup import Mixup, mixup_target  # two seconds
        from timm.data.random_erasing import RandomErasing

        self._inputs, self._strength = inputs, recipe.strength
        self._erase = RandomErasing(recipe.erasing, mode="pixel", device=device) if recipe.erasing else None
        if recipe.mixup or recipe.cutmix:
            self._mix = Mixup(recipe.mixup, recipe.cutmix, label_smoothing=recipe.label_smoothing, num_classes=classes)
        else:
            self._mix = lambda images, targets: (
                images,
                mixup_target(targets, classes, smoothing=recipe.label_smoothing),
            )

    def __call__(self, faces: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Images B×C×size×size and probabilities B×classes, for uint8 faces B×H×W(×3) and their classes, int64 B.

        Random erasing is after Zhong et al. (2020), mixup after Zhang et al. (2018), cutmix after Yun et al. (2019),
        smoothing after Szegedy et al. (2016).
        """
        images = self._inputs.normalise(distort(to_images(faces), self._inputs.size, self._strength, generator))
        if self._erase:
            images = self._erase(images)
        return self._mix(images, targets)
