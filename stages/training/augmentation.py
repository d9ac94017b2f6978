"""Random augmentation of a batch, as tensor operations on the device."""

import math
from functools import partial

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional

from stages.models.preprocessing import Inputs, to_images
from stages.params.train import Train
from stages.training.distributed import uniform

# Largest changes at strength 1.
ROTATION = math.radians(15)
SCALE = 0.15  # share of the size
SHIFT = 0.1  # share of the side
SHEAR = 0.1  # shift of the top edge, as a share of half the side
BRIGHTNESS = 0.2  # share of the range from black to white
CONTRAST = 0.3  # share of the contrast


def augment(images: Tensor, size: int, strength: float, generator: Generator) -> Tensor:
    """Return randomly changed images, resized in the same resampling.

    Each image is mirrored with probability 0.5, and rotated, scaled, shifted, sheared, and changed in brightness and
    contrast. The changes differ from image to image and are uniform up to `strength` times the constants above.
    Contrast is scaled about the middle grey.

    Args:
        images: N×C×H×W, 0 to 1.
        size: height and width of the result in pixels.
        strength: 0 for resizing only.
        generator: source of the random numbers, on the device of the images.

    Returns:
        N×C×size×size, 0 to 1.
    """
    count = len(images)
    if size < images.shape[-1]:  # sampling at the grid's points alone would skip pixels
        images = functional.interpolate(images, (size, size), mode="bilinear", antialias=True)

    side, *amounts = uniform(8, count, generator)
    mirror = torch.where(side < 0.5 * min(strength, 1), -1.0, 1.0)
    limits = (ROTATION, SHEAR, SCALE, 2 * SHIFT, 2 * SHIFT, CONTRAST, BRIGHTNESS)
    angle, shear, scale, right, down, contrast, brightness = (
        (amount * 2 - 1) * limit * strength for amount, limit in zip(amounts, limits, strict=True)
    )
    zoom = scale.exp()
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    rows = [mirror * cos, shear * cos - sin, right, mirror * sin, shear * sin + cos, down]
    grid = functional.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), [count, 1, size, size], align_corners=False)
    images = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)

    contrast, brightness = (1 + contrast).view(-1, 1, 1, 1), brightness.view(-1, 1, 1, 1)
    return ((images - 0.5) * contrast + 0.5 + brightness).clamp(0, 1)


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
    images = to_images(torch.as_tensor(np.stack([face] * count)))
    images = augment(images, face.shape[0], strength, torch.Generator().manual_seed(seed))
    pixels = images.mul(255).round().byte().permute(0, 2, 3, 1).numpy()
    return [face, *pixels.reshape(count, *face.shape)]


class BatchAugmentation:
    """Makes network inputs and targets from a batch of faces, all as the recipe says.

    The steps are `augment` with the recipe's `strength`, random erasing (Zhong et al., AAAI 2020), mixup (Zhang et al.,
    ICLR 2018) or cutmix (Yun et al., ICCV 2019), and label smoothing (Szegedy et al., CVPR 2016).
    """

    def __init__(self, recipe: Train, inputs: Inputs, classes: int, device: str) -> None:
        from timm.data.mixup import Mixup, mixup_target  # slow to import
        from timm.data.random_erasing import RandomErasing

        self._inputs, self._strength = inputs, recipe.strength
        self._erase = RandomErasing(recipe.erasing, mode="pixel", device=device) if recipe.erasing else None
        self._smooth = partial(mixup_target, num_classes=classes, smoothing=recipe.label_smoothing)
        self._mix = None
        if recipe.mixup or recipe.cutmix:
            self._mix = Mixup(recipe.mixup, recipe.cutmix, label_smoothing=recipe.label_smoothing, num_classes=classes)

    def __call__(self, faces: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return the inputs and the targets of one batch.

        Args:
            faces: uint8, B×H×W or B×H×W×3.
            targets: classes, int64, B.
            generator: source of the random numbers of `augment`, on the device of the faces.

        Returns:
            Normalised images, float32, B×C×size×size, and target probabilities, B×classes.
        """
        images = self._inputs.normalise(augment(to_images(faces), self._inputs.size, self._strength, generator))
        if self._erase:
            images = self._erase(images)
        if self._mix:
            return self._mix(images, targets)
        return images, self._smooth(targets)
