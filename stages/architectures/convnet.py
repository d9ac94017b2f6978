"""`convnet`: three convolutions without padding and two hidden layers, for 100×100 faces."""

from torch import nn

from stages.base.errors import InputError

PRETRAINED = None


def build(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Return the network: images B×channels×size×size to logits B×classes.

    3×3 convolutions with 64, 64 and 32 maps, each with ReLU and 2×2 max pooling; then hidden layers of 512 and 64
    units, each with dropout, 0.5 by default. The published network ends in a softmax, which is part of the loss here.

    Raises:
        InputError: `size` is too small for three poolings.
    """
    side = size
    for _ in range(3):
        side = (side - 2) // 2
    if side < 1:
        raise InputError(f"params.yaml: input_size: convnet needs at least 22 pixels, not {size}")
    rate = 0.5 if dropout is None else dropout
    return nn.Sequential(
        nn.Conv2d(channels, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(32 * side**2, 512), nn.ReLU(), nn.Dropout(rate),
        nn.Linear(512, 64), nn.ReLU(), nn.Dropout(rate),
        nn.Linear(64, classes),
    )  # fmt: skip
