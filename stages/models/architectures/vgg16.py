"""`vgg16`: the 16-layer network of Simonyan and Zisserman (2015) with batch normalisation, from timm."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from stages.models import from_timm

IMAGENET_WEIGHTS = True


def build(classes: int, channels: int, size: int, dropout: float | None, imagenet: bool) -> nn.Module:
    """Thirteen 3×3 convolutions and two hidden layers of 4096, for images from 32×32, made for 224×224.

    Dropout after each hidden layer, of 0.5 as published where `dropout` is None.
    Raises InputError where `size` is under 32, or `imagenet` weights cannot be had.
    """
    network = from_timm.build("vgg16_bn", classes, channels, size, 0.5 if dropout is None else dropout, imagenet)
    if size < 224:
        network.features.append(Enlarge(size // 32, 7))  # what the hidden layers need
    return network


class Enlarge(nn.Module):
    """Adaptive average pooling of maps before×before to after×after.

    As matrix products, because PyTorch's own has no deterministic gradient on a GPU.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        shares = functional.adaptive_avg_pool1d(torch.eye(before), after)
        self.register_buffer("shares", shares, persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        return self.shares.T @ maps @ self.shares
