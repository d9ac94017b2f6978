"""Build a network by the name of its architecture.

An architecture is one file in `stages/architectures/`, found by its name. The file defines

- `build(classes, channels, size, dropout)`, which returns the network, see `build` below; if there are pretrained
  weights, a further argument `pretrained` says whether to load them;
- `PRETRAINED`: what the pretrained weights learned, one of `PRETRAININGS`; None if there are none.
"""

from importlib import import_module
from types import ModuleType

from torch import nn

from stages.base.errors import InputError
from stages.base.suggestions import suggestion
from stages.models import from_timm
from stages.models.registry import architecture_names

PRETRAININGS = {"imagenet": "ImageNet", "vggface2": "VGGFace2", "dlib": "dlib"}  # as messages name them


def build(arch: str, classes: int, channels: int, size: int, dropout: float | None, init: str = "random") -> nn.Module:
    """Return a new network on the CPU, in training mode.

    Args:
        arch: the name of a file in `stages/architectures/`, or `timm/` and the name of an architecture of timm.
        classes: number of classes.
        channels: channels of the images, 1 (grey) or 3 (RGB).
        size: height and width of the images in pixels.
        dropout: rate of every dropout layer, 0 to 1; None for the published rates.
        init: one of `PRETRAININGS`, whose weights all layers but the classifier start from; `random`: all are random.

    Returns:
        A network that maps float32 images B×channels×size×size to logits B×classes.

    Raises:
        InputError: `arch` is unknown, it does not support `size`, it has no such weights, or their download failed.
    """
    pretrained = init != "random"
    name = arch.removeprefix("timm/")
    if name == arch and arch not in architecture_names():
        raise InputError(
            f"params.yaml: model: no architecture is called {arch!r}{suggestion(arch, architecture_names())}"
        )
    known = "imagenet" if name != arch else _module(arch).PRETRAINED
    if pretrained and known != init:
        others = ", ".join(other for other in architecture_names() if init == _module(other).PRETRAINED)
        timm = " and most of timm's" if init == "imagenet" else ""
        raise InputError(
            f"params.yaml: init: {arch} has no {PRETRAININGS[init]} weights; {others}{timm} have; set init: random"
        )
    if name != arch:
        return from_timm.build(name, classes, channels, size, dropout, pretrained)
    options = {} if known is None else {"pretrained": pretrained}
    return _module(arch).build(classes, channels, size, dropout, **options)


def head(network: nn.Module) -> nn.Module:
    """Return the classifier: the last convolutional or linear layer, which has one output per class."""
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)][-1]


def _module(arch: str) -> ModuleType:
    return import_module(f"stages.architectures.{arch}")
