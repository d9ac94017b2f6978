"""`cnn8`: eight convolutions and three hidden layers, for 48×48 grey faces."""

from torch import nn

from stages.base.errors import InputError
from stages.models.weights import glorot

IMAGENET_WEIGHTS = False


def build(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Four blocks of two 3×3 convolutions, to 64, 128, 256 and 512 maps; then 512, 256 and 128 hidden units.

    Images B×channels×size×size to logits B×classes. Batch normalisation (Ioffe and Szegedy, 2015) after every
    convolution's ReLU, 2×2 pooling after every block. Dropout is .5 after a block and .4, .4 and .5 after the hidden
    layers where it is None. The published one ends in softmax; here the loss has it. Raises InputError where four
    poolings leave nothing of `size`.
    """
    side = (size - 2) // 2**4  # only the first convolution is without padding
    if side < 1:
        raise InputError(f"params.yaml: input_size: cnn8 needs 18 pixels or more, not {size}")
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
