"""`cnn8`: eight convolutions and three hidden layers, for 48×48 grey faces."""

from torch import nn

from stages.base.errors import InputError
from stages.models.weights import glorot

PRETRAINED = None


def build(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Return the network: images B×channels×size×size to logits B×classes.

    Four blocks of two 3×3 convolutions, with 64, 128, 256 and 512 maps; then three hidden layers of 512, 256 and 128
    units.
    Batch normalisation (Ioffe and Szegedy, ICML 2015) follows the ReLU of every convolution, and 2×2 max pooling every
    block. The default dropout rates are 0.5 after each block and 0.4, 0.4 and 0.5 after the hidden layers. The
    published network ends in a softmax, which is part of the loss here.

    Raises:
        InputError: `size` is too small for four poolings.
    """
    side = (size - 2) // 2**4  # only the first convolution has no padding
    if side < 1:
        raise InputError(f"params.yaml: input_size: cnn8 needs at least 18 pixels, not {size}")
    block, *hidden = (0.5, 0.4, 0.4, 0.5) if dropout is None else [dropout] * 4
    return glorot(
        nn.Sequential(
            *_block(channels, 64, block, padding="valid"),
            *_block(64, 128, block), *_block(128, 256, block), *_block(256, 512, block), nn.Flatten(),
            nn.Linear(512 * side**2, 512), nn.ReLU(), nn.Dropout(hidden[0]),
            nn.Linear(512, 256), nn.ReLU(), nn.Dropout(hidden[1]),
            nn.Linear(256, 128), nn.ReLU(), nn.Dropout(hidden[2]),
            nn.Linear(128, classes),
        )
    )  # fmt: skip


def _block(before: int, after: int, dropout: float, padding: str = "same") -> list[nn.Module]:
    return [
        nn.Conv2d(before, after, 3, padding=padding), nn.ReLU(), nn.BatchNorm2d(after),
        nn.Conv2d(after, after, 3, padding="same"), nn.ReLU(), nn.BatchNorm2d(after),
        nn.MaxPool2d(2), nn.Dropout(dropout),
    ]  # fmt: skip
