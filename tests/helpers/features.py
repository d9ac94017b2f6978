"""What networks with published weights compute, against an independent computation."""

import torch
from torch import nn


def check_features(colour: nn.Module, grey: nn.Module, images: torch.Tensor, expected: torch.Tensor) -> None:
    """Assert that a network computes the expected features, and its variant for grey images the same of grey ones.

    Args:
        colour: the network, for RGB images.
        grey: the network, for grey images.
        images: N×3×H×W, normalised.
        expected: the features of the images.
    """
    with torch.inference_mode():
        assert (expected[0] - expected[1]).abs().max() > 0.01  # the features depend on the image
        torch.testing.assert_close(colour(images), expected, atol=1e-4, rtol=1e-3)
        first = images[:, :1]
        torch.testing.assert_close(grey(first), colour(first.expand(-1, 3, -1, -1)), atol=1e-4, rtol=1e-3)
