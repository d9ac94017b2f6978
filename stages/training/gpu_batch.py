"""The batch size on a GPU, which small batches would keep waiting."""

import math

import torch

from stages.params.models import Recipe

MIN_STEPS = 50  # of an epoch, so that a small data set is still trained in enough steps


def for_device(recipe: Recipe, device: torch.device, faces: float = math.inf) -> Recipe:
    """Return the recipe for a device: on a GPU with larger batches and a higher learning rate.

    `batch_size` is doubled up to `gpu_batch_size`, as long as an epoch has `MIN_STEPS` steps. The rate grows with its
    square root (Malladi et al., On the SDEs and scaling rules for adaptive gradient algorithms, NeurIPS 2022).
    `accumulation`, where it is used, grows too, so that its parts, which a user has fitted to the memory, do not.

    Args:
        recipe: the recipe in params.yaml.
        device: the device to train on.
        faces: number of training faces.
    """
    factor, limit = 1, recipe.gpu_batch_size or 0
    while 2 * factor * recipe.batch_size <= min(limit, faces / MIN_STEPS):
        factor *= 2
    if device.type == "cpu" or factor == 1:
        return recipe
    changes = {"batch_size": factor * recipe.batch_size, "lr": recipe.lr * math.sqrt(factor)}
    if recipe.accumulation > 1:
        changes["accumulation"] = factor * recipe.accumulation
    return recipe.model_copy(update=changes)
