"""`vit_mod`: the base vision transformer with patches of 10 pixels, for 100×100 faces, from timm.

Dosovitskiy et al., An image is worth 16x16 words: transformers for image recognition at scale, ICLR 2021.
"""

from torch import nn

from stages.models import from_timm

PRETRAINED = None


def build(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Return the network: images B×channels×size×size to logits B×classes.

    12 layers of width 768 with 12 heads. Dropout precedes the classifier, with the rate 0 by default.

    Raises:
        InputError: `size` is not a multiple of 10.
    """
    from_timm.check_patches("vit_mod", size, 10)
    from timm.models import VisionTransformer  # slow to import

    return VisionTransformer(
        img_size=size, patch_size=10, in_chans=channels, num_classes=classes,
        embed_dim=768, depth=12, num_heads=12, mlp_ratio=4, drop_rate=dropout or 0.0,
    )  # fmt: skip
