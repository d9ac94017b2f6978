"""The architectures, each under one name and built the same way."""

from torch import nn

from stages.base.errors import InputError
from stages.base.params import nearest
from stages.models import cnn5, googlenet, resnet18

ARCHITECTURES = {"cnn5": cnn5.build, "resnet18": resnet18.build, "googlenet": googlenet.build}


def build(name: str, classes: int, channels: int, size: int, dropout: float) -> nn.Module:
    """A network with fresh random weights that maps images B×channels×size×size to logits B×classes.

    Raises InputError where `name` is unknown.
    """
    if name not in ARCHITECTURES:
        raise InputError(f"params.yaml: model: no architecture is called {name!r}{nearest(name, ARCHITECTURES)}")
    return ARCHITECTURES[name](classes, channels, size, dropout)
