"""The initial weights that Keras gives a network, for the architectures that were published in it."""

from torch import nn

from stages.base.errors import InputError


def glorot(network: nn.Module) -> nn.Module:
    """`network` with uniform weights after Glorot and Bengio (2010) and biases of 0 in every convolution and layer."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def not_had(name: str, error: Exception) -> InputError:
    """The InputError for the ImageNet weights of the architecture `name`, whose download ended in `error`."""
    reason = " ".join(str(error).split())[:200]
    return InputError(
        f"params.yaml: init: the ImageNet weights of {name} could not be had ({reason}); "
        "connect once to download them, or set init: random"
    )
