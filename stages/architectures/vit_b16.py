"""`vit_b16`: the base vision transformer with patches of 16 pixels, from timm.

Dosovitskiy et al., An image is worth 16x16 words: transformers for image recognition at scale, ICLR 2021.
"""

from torch import nn

from stages.models import from_timm

PRETRAINED = "imagenet"


def build(classes: int, channels: int, size: int, dropout: float | None, pretrained: bool) -> nn.Module:
    """Return the network: images B×channels×size×size to logits B×classes.

    12 layers of width 768 with 12 heads, published for 224×224 images. Dropout precedes the classifier, with the rate 0
    by default.

    Raises:
        InputError: `size` is not a multiple of 16, or the ImageNet weights could not be loaded.
    """
    return from_timm.build("vit_base_patch16_224", classes, channels, size, dropout, pretrained)
