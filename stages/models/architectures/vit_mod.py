"""`vit_mod`: a vision transformer of base width for 100×100 faces (Dosovitskiy et al., 2021), from timm."""

from torch import nn

from stages.models import from_timm

IMAGENET_WEIGHTS = False


def build(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Patches of 10 pixels: images B×channels×size×size, made for 100, to logits B×classes.

    Dropout stands before the last layer, 0 where it is None. Raises InputError where `size` is no multiple of 10.
    """
    from_timm.whole_patches("vit_mod", size, 10)
    from timm.models import VisionTransformer  # two seconds, as in from_timm

    return VisionTransformer(
        img_size=size, patch_size=10, in_chans=channels, num_classes=classes,
        embed_dim=768, depth=12, num_heads=12, mlp_ratio=4, drop_rate=dropout or 0.0,
    )  # fmt: skip
