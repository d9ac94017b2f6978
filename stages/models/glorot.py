"""The initial weights that Keras gives a network, for the architectures that were published in it."""

from torch import nn


def glorot(network: nn.Module) -> nn.Module:
    """`network` with uniform weights after Glorot and Bengio (2010) and biases of 0 in every convolution and layer."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network
