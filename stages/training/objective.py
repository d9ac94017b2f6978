"""The loss function."""

import torch
from torch import Tensor


def loss(logits: Tensor, targets: Tensor, weights: Tensor | None = None, focal: float = 0.0) -> Tensor:
    """Return the mean cross-entropy of a batch, or its focal loss.

    Args:
        logits: float32, B×classes.
        targets: probabilities, B×classes; not one-hot after label smoothing or mixup.
        weights: a factor for each class, or None.
        focal: focusing exponent of the focal loss (Lin et al., Focal loss for dense object detection, ICCV 2017), which
            reduces the loss of faces that are already classified well; 0 for cross-entropy.

    Returns:
        A scalar.
    """
    log_probabilities = logits.log_softmax(1)
    terms = targets * log_probabilities
    if focal:
        # At 0 the derivative of a power below 1 is infinite.
        terms = terms * (1 - log_probabilities.exp()).clamp(min=torch.finfo(torch.float32).eps) ** focal
    if weights is not None:
        terms = terms * weights
    return -terms.sum(1).mean()


def class_weights(targets: Tensor, classes: int) -> Tensor:
    """Return a weight for each class, inversely proportional to its frequency; the mean over the faces is 1.

    Args:
        targets: classes of the training faces, int64, N.
        classes: number of classes.
    """
    counts = torch.bincount(targets, minlength=classes)
    return len(targets) / (counts.clamp(min=1) * (counts > 0).sum())
