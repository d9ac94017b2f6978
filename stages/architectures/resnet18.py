"""`resnet18`: the residual network with 18 layers, from timm.

He, Zhang, Ren and Sun, Deep residual learning for image recognition, CVPR 2016.
"""

from torch import nn

from stages.models import from_timm

PRETRAINED = "imagenet"


def build(classes: int, channels: int, size: int, dropout: float | None, pretrained: bool) -> nn.Module:
    """Return the network: images B×channels×size×size, of any size, to logits B×classes.

    Dropout precedes the classifier, with the rate 0 by default.

    Raises:
        InputError: the ImageNet weights could not be loaded.
    """
    return from_timm.build("resnet18", classes, channels, size, dropout, pretrained)
