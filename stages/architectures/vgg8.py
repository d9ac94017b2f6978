"""`vgg8`: eight convolutions and a linear classifier, for 48×48 faces.

Blocks of two 3×3 convolutions as in VGG (Simonyan and Zisserman, Very deep convolutional networks for large-scale image
recognition, ICLR 2015), with the batch normalisation and the single linear layer that Pramerdorfer and Kampel (Facial
expression recognition using convolutional neural networks, 2016) use on FER2013.
"""

from torch import nn

IMAGENET_WEIGHTS = False


def build(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Return the network: images B×channels×size×size, of any size from 16, to logits B×classes.

    Four blocks with 64, 128, 256 and 512 maps: two 3×3 convolutions, each followed by batch normalisation and ReLU, and
    2×2 max pooling. Then the mean of each map, dropout, with the rate 0.5 by default, and the classifier. The initial
    weights follow He et al. (Delving deep into rectifiers, ICCV 2015).
    """
    layers: list[nn.Module] = []
    for before, after in ((channels, 64), (64, 128), (128, 256), (256, 512)):
        layers += [*_convolution(before, after), *_convolution(after, after), nn.MaxPool2d(2)]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5 if dropout is None else dropout)]
    network = nn.Sequential(*layers, nn.Linear(512, classes))
    for layer in network:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return network


def _convolution(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
