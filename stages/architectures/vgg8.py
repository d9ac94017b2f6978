"""`vgg8`: eight convolutions and a linear classifier, for 48×48 faces (see `stages/models/vgg.py`)."""

from torch import nn

from stages.models.vgg import vgg

PRETRAINED = None


def build(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Return the network: images B×channels×size×size, of any size from 16, to logits B×classes.

    Blocks of 64, 128, 256 and 512 maps. The rate of dropout is 0.5 by default.
    """
    return vgg((64, 128, 256, 512), classes, channels, 0.5 if dropout is None else dropout)
