"""`cnn5`: five convolutions and one hidden layer, a plain network for 48×48 grey faces."""

from torch import nn

IMAGENET_WEIGHTS = False


def build(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Three 3×3 convolutions to 64 maps, two to 128, each half followed by 2×2 pooling; then 512 hidden units.

    Images B×channels×size×size to logits B×classes. Batch normalisation (Ioffe and Szegedy, 2015) before every ReLU;
    initial weights after He et al. (2015). Dropout stands in three places, .3 where it is None.
    """
    rate = 0.3 if dropout is None else dropout
    network = nn.Sequential(
        *_convolution(channels, 64), *_convolution(64, 64), *_convolution(64, 64), nn.MaxPool2d(2), nn.Dropout(rate),
        *_convolution(64, 128), *_convolution(128, 128), nn.MaxPool2d(2), nn.Dropout(rate),
        nn.Flatten(), nn.Linear(128 * (size // 4) ** 2, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Dropout(rate),
        nn.Linear(512, classes),
    )  # fmt: skip
    for layer in network:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return network


def _convolution(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, padding="same"), nn.BatchNorm2d(after), nn.ReLU()]
