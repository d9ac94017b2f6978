"""Build a network by the name of its architecture.

An architecture is one file in `stages/architectures/`, found by its name. The file defines

- `build(classes, channels, size, dropout)`, which returns the network, see `build` below; if there are ImageNet
  weights, a further argument `imagenet` says whether to load them;
- `IMAGENET_WEIGHTS`, a bool: whether there are ImageNet weights.
"""

from importlib import import_module
from types import ModuleType

from torch import nn

from stages.base.errors import InputError
from stages.base.suggestions import suggestion
from stages.models import from_timm
from stages.models.registry import architecture_names


def build(
    arch: str, classes: int, channels: int, size: int, dropout: float | None, imagenet: bool = False
) -> nn.Module:
    """Return a new network on the CPU, in training mode.

    Args:
        arch: the name of a file in `stages/architectures/`, or `timm/` and the name of an architecture of timm.
        classes: number of classes.
        channels: channels of the images, 1 (grey) or 3 (RGB).
        size: height and width of the images in pixels.
        dropout: rate of every dropout layer, 0 to 1; None for the published rates.
        imagenet: whether all layers but the classifier start from ImageNet weights; otherwise all weights are random.

    Returns:
        A network that maps float32 images B×channels×size×size to logits B×classes.

    Raises:
        InputError: `arch` is unknown, it does not support `size`, it has no ImageNet weights, or their download failed.
    """
    if arch.startswith("timm/"):
        return from_timm.build(arch.removeprefix("timm/"), classes, channels, size, dropout, imagenet)
    names = architecture_names()
    if arch not in names:
        raise InputError(f"params.yaml: model: no architecture is called {arch!r}{suggestion(arch, names)}")
    module = _module(arch)
    if module.IMAGENET_WEIGHTS:
        return module.build(classes, channels, size, dropout, imagenet)
    if imagenet:
        pretrained = ", ".join(name for name in names if _module(name).IMAGENET_WEIGHTS)
        raise InputError(
            f"params.yaml: init: {arch} has no ImageNet weights; {pretrained} and most of timm's have; set init: random"
        )
    return module.build(classes, channels, size, dropout)


def head(network: nn.Module) -> nn.Module:
    """Return the classifier: the last convolutional or linear layer, which has one output per class."""
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)][-1]


def _module(arch: str) -> ModuleType:
    return import_module(f"stages.architectures.{arch}")
