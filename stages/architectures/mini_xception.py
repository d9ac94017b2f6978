"""`mini_xception`: separable convolutions, for 64×64 grey faces.

Arriaga, Valdenegro-Toro and Plöger, Real-time convolutional neural networks for emotion and gender
classification, 2017.
"""

from torch import Tensor, nn

from stages.models.separable import separable
from stages.models.weights import glorot

PRETRAINED = None


def build(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Return the network: images B×channels×size×size, of any size, to logits B×classes.

    Two convolutions with 8 maps; four residual modules with 16, 32, 64 and 128 maps; one convolution with a map per
    class, whose mean is the logit. The network has no dropout. The published network ends in a softmax, which is part
    of the loss here.
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
    """A residual module: two separable convolutions and max pooling, plus a 1×1 convolution as shortcut."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after))
        self.main = nn.Sequential(
            *separable(before, after), nn.ReLU(), *separable(after, after), nn.MaxPool2d(3, stride=2, padding=1)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Map B×before×H×W to B×after×⌈H/2⌉×⌈W/2⌉."""
        # Not a convolution of stride 2: with few maps, oneDNN's writes outside its memory (issue 6035 of oneDNN).
        return self.main(maps) + self.shortcut(maps[:, :, ::2, ::2])
