"""`cnn5`: five convolutions and one hidden layer, for 48×48 grey faces."""

from torch import nn

PRETRAINED = None


def build(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Return the network: images B×channels×size×size to logits B×classes.

    Three 3×3 convolutions with 64 maps and two with 128, each group followed by 2×2 max pooling; then one hidden layer
    of 512 units. Batch normalisation (Ioffe and Szegedy, ICML 2015) precedes every ReLU. The initial weights follow He
    et al. (Delving deep into rectifiers, ICCV 2015). The default rate of the three dropout layers is 0.3.
    """
    rate = 0.3 if dropout is None else dropout
    network = nn.Sequential(
        *_convolution(channels, 64), *_convolution(64, 64), *_convolution(64, 64), nn.MaxPool2d(2), nn.Dropout(rate),
        *_convolution(64, 128), *_convolution(128, 128), nn.MaxPool2d(2), nn.Dropout(rate),
        nn.Flatten(), nn.Linear(128 * (size // 4) ** 2, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Dropout(rate),
        nn.Linear(512, classes),
    )  # fmt: skip
    for layer in network:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def _convolution(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, padding="same"), nn.BatchNorm2d(after), nn.ReLU()]
