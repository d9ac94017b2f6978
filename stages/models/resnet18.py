"""`resnet18`: the 18-layer residual network of He et al. (2016), from timm."""

from torch import nn


def build(classes: int, channels: int, size: int, dropout: float) -> nn.Module:
    """Residual network for images of any size; dropout stands before the last layer."""
    import timm  # two seconds, which the other architectures need not wait

    return timm.create_model("resnet18", in_chans=channels, num_classes=classes, drop_rate=dropout)
