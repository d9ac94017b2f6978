"""`vgg16`: the 16-layer network of Simonyan and Zisserman (2015) with batch normalisation, from timm."""

from torch import nn

from stages.models import from_timm


def build(classes: int, channels: int, size: int, dropout: float | None, imagenet: bool) -> nn.Module:
    """Thirteen convolutions and two hidden layers: images B×channels×size×size to logits B×classes.

    Dropout stands after both hidden layers, .5 where it is None. Raises InputError where five poolings
    leave nothing of `size` or the ImageNet weights cannot be had.
    """
    return from_timm.build("vgg16_bn", classes, channels, size, 0.5 if dropout is None else dropout, imagenet)
