"""`vgg8_half`: `vgg8` with half the maps, a quarter of its computation, for CPUs (see `stages/models/vgg.py`)."""

from torch import nn

from stages.models.vgg import vgg

PRETRAINED = None


def build(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Return the network: images B×channels×size×size, of any size from 16, to logits B×classes.

    Blocks of 32, 64, 128 and 256 maps. The rate of dropout is 0.3 by default.
    """
    return vgg((32, 64, 128, 256), classes, channels, 0.3 if dropout is None else dropout)
