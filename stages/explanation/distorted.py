"""What training makes of a face."""

import numpy as np
import torch

from stages.models.inputs import to_images
from stages.training.augmentation import distort


def distorted(face: np.ndarray, count: int, strength: float, seed: int) -> list[np.ndarray]:
    """A face, uint8 H×H or H×H×3, as it is and `count` times as training distorts it with `strength`, each alike."""
    images = to_images(torch.as_tensor(np.stack([face] * count)))
    images = distort(images, face.shape[0], strength, torch.Generator().manual_seed(seed))
    pixels = images.mul(255).round().byte().permute(0, 2, 3, 1).numpy()
    return [face, *pixels.reshape(count, *face.shape)]
