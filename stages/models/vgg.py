"""Networks of blocks of two 3×3 convolutions, for small images.

Blocks as in VGG (Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition, ICLR
2015), with the batch normalisation and the single linear layer that Pramerdorfer and Kampel (Facial expression
recognition using convolutional neural networks, 2016) use on FER2013.
"""

from collections.abc import Sequence

from torch import nn


def vgg(widths: Sequence[int], classes: int, channels: int, dropout: float) -> nn.Module:
    """Return a network that maps images B×channels×H×W to logits B×classes.

    A block is two 3×3 convolutions, each followed by batch normalisation and ReLU, and 2×2 max pooling. After the
    blocks come the mean of each map, dropout, and the classifier. The initial weights follow He et al. (Delving deep
    into rectifiers, ICCV 2015).

    Args:
        widths: number of maps of each block; H and W must be at least 2 to the power of their number.
        classes: number of classes.
        channels: channels of the images.
        dropout: rate of the dropout layer.
    """
    layers: list[nn.Module] = []
    for before, after in zip((channels, *widths), widths, strict=False):
        layers += [*_convolution(before, after), *_convolution(after, after), nn.MaxPool2d(2)]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout)]
    network = nn.Sequential(*layers, nn.Linear(widths[-1], classes))
    for layer in network:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return network


def _convolution(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
