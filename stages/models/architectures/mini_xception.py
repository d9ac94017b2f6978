"""`mini_xception`: the small network of separable convolutions of Arriaga et al. (2017), for 64×64 grey faces."""

from torch import Tensor, nn

from stages.models.weights import glorot

IMAGENET_WEIGHTS = False


def build(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Two convolutions to 8 maps, four residual modules to 16, 32, 64 and 128, and one convolution to the classes.

    Images B×channels×size×size, of any size, to logits B×classes: the mean of each class's map. It has no dropout
    to set. The published one ends in softmax; here the loss has it.
    """
    return glorot(
        nn.Sequential(
            nn.Conv2d(channels, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
            Residual(8, 16), Residual(16, 32), Residual(32, 64), Residual(64, 128),
            nn.Conv2d(128, classes, 3, padding="same"), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )
    )  # fmt: skip


class Residual(nn.Module):
    """Two separable convolutions and a pooling beside a 1×1 convolution; both halve the side of B×before×H×W."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride=2, bias=False), nn.BatchNorm2d(after))
        self.main = nn.Sequential(
            *_separable(before, after), nn.ReLU(), *_separable(after, after), nn.MaxPool2d(3, stride=2, padding=1)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Maps B×after×⌈H/2⌉×⌈W/2⌉."""
        return self.main(maps) + self.shortcut(maps)


def _separable(before: int, after: int) -> list[nn.Module]:
    return [
        nn.Conv2d(before, before, 3, padding="same", groups=before, bias=False),
        nn.Conv2d(before, after, 1, bias=False),
        nn.BatchNorm2d(after),
    ]
