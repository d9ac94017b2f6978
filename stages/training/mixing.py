"""Mixup and cutmix: each face of a batch is mixed with the one at the mirrored position of the batch.

Zhang et al., mixup: beyond empirical risk minimization, ICLR 2018. Yun et al., CutMix: regularization strategy to train
strong classifiers with localizable features, ICCV 2019.
"""

import numpy as np
import torch
from torch import Tensor


def draw(mixup: float, cutmix: float, batches: int, rng: np.random.Generator) -> Tensor:
    """Return how each batch is mixed: by mixup, by cutmix, or, if both are above 0, by one of them by chance.

    Args:
        mixup: parameter alpha of the beta distribution of a face's share in its mixture; 0: off.
        cutmix: the same for cutmix.
        batches: number of batches.
        rng: source of the random numbers.

    Returns:
        float32, 4×batches: 1 for cutmix and 0 for mixup, the face's share, and the middle of cutmix's rectangle
        (vertical and horizontal, as shares of the side).
    """
    cut = rng.random(batches) < (0.5 if mixup and cutmix else bool(cutmix))
    cut_share, mix_share = (rng.beta(alpha or 1, alpha or 1, batches) for alpha in (cutmix, mixup))
    middles = rng.random((2, batches))
    return torch.from_numpy(np.stack([cut, np.where(cut, cut_share, mix_share), *middles]).astype(np.float32))


def mix(images: Tensor, probabilities: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mixtures of the faces of several batches and of their target probabilities.

    Args:
        images: N×C×size×size, one batch after another.
        probabilities: N×classes.
        drawn: how each batch is mixed, as `draw` returns it, on the device of the images.
    """
    batches, size = drawn.shape[1], images.shape[-1]
    cut, share, *middles = drawn.view(4, batches, 1, 1)
    centres = (torch.arange(size, device=images.device) + 0.5) / size
    half = (1 - share).sqrt() / 2  # side of the rectangle from the other face
    inside = ((centres.view(-1, 1) - middles[0]).abs() < half) & ((centres - middles[1]).abs() < half)
    own = torch.where(cut > 0, (~inside).float(), share)  # share of the face in each pixel of its mixture
    own_share = own.mean((1, 2)).view(-1, 1, 1)
    images = images.unflatten(0, (batches, -1))
    images = images.flip(1).lerp(images, own.view(batches, 1, 1, size, size)).flatten(0, 1)
    probabilities = probabilities.unflatten(0, (batches, -1))
    probabilities = probabilities.flip(1).lerp(probabilities, own_share).flatten(0, 1)
    return images.contiguous(memory_format=torch.channels_last), probabilities
