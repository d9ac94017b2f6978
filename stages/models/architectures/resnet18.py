"""`resnet18`: the 18-layer residual network of He et al. (2016), from timm."""

from torch import nn

from stages.models import from_timm

IMAGENET_WEIGHTS = True


def build(classes: int, channels: int, size: int, dropout: float | None, imagenet: bool) -> nn.Module:
    """Residual network: images B×channels×size×size, of any size, to logits B×classes.

    Dropout stands before the last layer, 0 where it is None. Raises InputError where the ImageNet weights cannot be
    had.
    """
    return from_timm.build("resnet18", classes, channels, size, dropout, imagenet)
