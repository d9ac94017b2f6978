"""`vit_b16` and `vit_mod`: vision transformers of base width (Dosovitskiy et al., 2021), from timm."""

from torch import nn

from stages.base.errors import InputError
from stages.models import from_timm


def build_b16(classes: int, channels: int, size: int, dropout: float | None, imagenet: bool) -> nn.Module:
    """Patches of 16 pixels: images B×channels×size×size, published for 224, to logits B×classes.

    Dropout stands before the last layer, 0 where it is None. Raises InputError where `size` is no multiple of 16 or the
    ImageNet weights cannot be had.
    """
    _whole_patches("vit_b16", size, 16)
    return from_timm.build("vit_base_patch16_224", classes, channels, size, dropout, imagenet)


def build_mod(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Patches of 10 pixels: images B×channels×size×size, made for 100, to logits B×classes.

    Dropout stands before the last layer, 0 where it is None. Raises InputError where `size` is no multiple of 10.
    """
    _whole_patches("vit_mod", size, 10)
    from timm.models import VisionTransformer  # two seconds, as in from_timm

    return VisionTransformer(
        img_size=size, patch_size=10, in_chans=channels, num_classes=classes,
        embed_dim=768, depth=12, num_heads=12, mlp_ratio=4, drop_rate=dropout or 0.0,
    )  # fmt: skip


def _whole_patches(name: str, size: int, patch: int) -> None:
    if size % patch:  # timm would leave the rest of the face out without a word
        right = max(round(size / patch), 1) * patch
        raise InputError(
            f"params.yaml: input_size: {name} cuts faces into patches of {patch} pixels, which {size} is no multiple "
            f"of: {right} is near"
        )
