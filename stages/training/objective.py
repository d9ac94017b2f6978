"""What training minimises."""

import torch
from torch import Tensor


def loss(logits: Tensor, targets: Tensor, weights: Tensor | None = None, focal: float = 0.0) -> Tensor:
    """The mean over the batch of a cross-entropy, a scalar.

    `logits` and `targets` are B×classes; the targets are probabilities, smoothed or mixed. `weights`, one a class,
    make errors on rare classes dearer. `focal` is the focusing exponent of Lin et al. (2017), which makes faces that
    are recognised already count for less; at 0 this is cross-entropy.
    """
    log_probabilities = logits.log_softmax(1)
    terms = targets * log_probabilities
    if focal:
        terms = terms * (1 - log_probabilities.exp()) ** focal
    if weights is not None:
        terms = terms * weights
    return -terms.sum(1).mean()


def class_weights(targets: Tensor, classes: int) -> Tensor:
    """A weight per class, inverse to how often it is among `targets` (int64 N); 1 on average over the faces."""
    counts = torch.bincount(targets, minlength=classes)
    return len(targets) / (counts.clamp(min=1) * (counts > 0).sum())
