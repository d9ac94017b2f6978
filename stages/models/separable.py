"""Depthwise separable convolutions (Howard et al., MobileNets, 2017; Chollet, Xception, CVPR 2017)."""

from torch import nn


def separable(before: int, after: int) -> list[nn.Module]:
    """Return the layers that map B×before×H×W to B×after×H×W.

    A 3×3 convolution of each map by itself, a 1×1 convolution of all maps, and batch normalisation.
    """
    return [
        nn.Conv2d(before, before, 3, padding="same", groups=before, bias=False),
        nn.Conv2d(before, after, 1, bias=False),
        nn.BatchNorm2d(after),
    ]
