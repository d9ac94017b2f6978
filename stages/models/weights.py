"""Initial weights: what several architectures share."""

from torch import nn

from stages.base.errors import InputError


def glorot(network: nn.Module) -> nn.Module:
    """Return `network` with the initial weights that Keras uses by default.

    Weights of convolutional and linear layers are uniform after Glorot and Bengio (Understanding the difficulty of
    training deep feedforward neural networks, AISTATS 2010); biases are 0.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def download_error(name: str, error: Exception) -> InputError:
    """Return the error for ImageNet weights of the architecture `name` whose download ended in `error`."""
    reason = " ".join(str(error).split())[:200]
    return InputError(
        f"params.yaml: init: the ImageNet weights of {name} could not be loaded ({reason}); "
        "connect once to download them, or set init: random"
    )
