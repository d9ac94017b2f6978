"""`googlenet`: the 22-layer inception network of Szegedy et al. (2015), from torchvision."""

from torch import nn


def build(classes: int, channels: int, size: int, dropout: float) -> nn.Module:
    """Inception network, its main branch alone, for images of any size; dropout stands before the last layer."""
    from torchvision.models.googlenet import BasicConv2d, GoogLeNet  # two seconds, as in resnet18

    network = GoogLeNet(classes, aux_logits=False, init_weights=False, dropout=dropout)
    network.conv1 = BasicConv2d(channels, 64, kernel_size=7, stride=2, padding=3)  # torchvision's is for RGB only
    return network
