"""The architectures, each under one name and built the same way."""

from torch import nn

from stages.base.errors import InputError
from stages.base.params import nearest
from stages.models import from_timm
from stages.models.architectures import cnn5, cnn8, convnet, googlenet, mini_xception, resnet18, vgg16, vit_b16, vit_mod

FRESH = {  # nobody has ImageNet weights of these
    "cnn5": cnn5.build,
    "cnn8": cnn8.build,
    "convnet": convnet.build,
    "mini_xception": mini_xception.build,
    "vit_mod": vit_mod.build,
}
PRETRAINED = {
    "vgg16": vgg16.build,
    "googlenet": googlenet.build,
    "resnet18": resnet18.build,
    "vit_b16": vit_b16.build,
}
ARCHITECTURES = (*FRESH, *PRETRAINED)


def build(
    arch: str, classes: int, channels: int, size: int, dropout: float | None, imagenet: bool = False
) -> nn.Module:
    """A network that maps images B×channels×size×size, of 1 or 3 channels, to raw logits B×classes.

    `arch` is one of ARCHITECTURES, or `timm/` and a name of the timm library. `dropout`, 0 to 1, is the rate of every
    dropout layer; None leaves the published rates. The weights are fresh and random or, but for the last layer, those
    learned on ImageNet. Raises InputError where `arch` is unknown, `size` is impossible for it, or it has no ImageNet
    weights or they cannot be had.
    """
    if arch.startswith("timm/"):
        return from_timm.build(arch.removeprefix("timm/"), classes, channels, size, dropout, imagenet)
    if arch in PRETRAINED:
        return PRETRAINED[arch](classes, channels, size, dropout, imagenet)
    if arch not in FRESH:
        raise InputError(f"params.yaml: model: no architecture is called {arch!r}{nearest(arch, ARCHITECTURES)}")
    if imagenet:
        have = ", ".join(PRETRAINED)
        raise InputError(f"params.yaml: init: {arch} has no ImageNet weights; {have} and timm's have; set init: random")
    return FRESH[arch](classes, channels, size, dropout)


def head(network: nn.Module) -> nn.Module:
    """The classifier: the last convolution or linear layer, whose rows are the classes."""
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)][-1]
