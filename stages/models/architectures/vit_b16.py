"""`vit_b16`: the vision transformer of base width (Dosovitskiy et al., 2021), from timm."""

from torch import nn

from stages.models import from_timm

IMAGENET_WEIGHTS = True


def build(classes: int, channels: int, size: int, dropout: float | None, imagenet: bool) -> nn.Module:
    """Patches of 16 pixels: images B×channels×size×size, published for 224, to logits B×classes.

    Dropout stands before the last layer, 0 where it is None. Raises InputError where `size` is no multiple of 16 or the
    ImageNet weights cannot be had.
    """
    return from_timm.build("vit_base_patch16_224", classes, channels, size, dropout, imagenet)
