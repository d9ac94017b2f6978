"""`resnet18_small`: the residual network with 18 layers, with a stem for 48×48 faces.

He, Zhang, Ren and Sun, Deep residual learning for image recognition, CVPR 2016. As in their networks for the 32×32
images of CIFAR, the first convolution is 3×3 with stride 1, and no pooling follows it.
"""

from torch import nn

from stages.models import from_timm

PRETRAINED = None


def build(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Return the network: images B×channels×size×size, of any size, to logits B×classes.

    Dropout precedes the classifier, with the rate 0 by default.
    """
    network = from_timm.build("resnet18", classes, channels, size, dropout, pretrained=False)
    network.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.maxpool = nn.Identity()
    return network
