"""`vgg16`: the VGG network with 16 layers and batch normalisation, from timm.

Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition, ICLR 2015.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from stages.models import from_timm

PRETRAINED = "imagenet"


def build(classes: int, channels: int, size: int, dropout: float | None, pretrained: bool) -> nn.Module:
    """Return the network: images B×channels×size×size, 32 pixels or more, to logits B×classes.

    Thirteen 3×3 convolutions and two hidden layers of 4096 units, each with dropout, 0.5 by default. It was designed
    for 224×224 images; the last maps of smaller images are enlarged to the 7×7 that the hidden layers need.

    Raises:
        InputError: `size` is below 32, or the ImageNet weights could not be loaded.
    """
    network = from_timm.build("vgg16_bn", classes, channels, size, 0.5 if dropout is None else dropout, pretrained)
    if size < 224:
        features = network.get_submodule("features")
        features.add_module(str(len(list(features.children()))), Enlarge(size // 32, 7))
    return network


class Enlarge(nn.Module):
    """Adaptive average pooling from before×before to after×after.

    It is computed by matrix products, because the gradient of PyTorch's own layer is not deterministic on a GPU.
    """

    shares: Tensor

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        shares = functional.adaptive_avg_pool1d(torch.eye(before), after)
        self.register_buffer("shares", shares, persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Map B×C×before×before to B×C×after×after."""
        return self.shares.T @ maps @ self.shares
