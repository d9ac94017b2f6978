"""`mini_mobilenet`: separable convolutions with residual connections, 90 thousand parameters, for 48×48 faces.

Shortcuts without parameters follow He et al. (Deep residual learning for image recognition, CVPR 2016, option A).
"""

from torch import Tensor, nn
from torch.nn import functional

from stages.models.separable import separable

PRETRAINED = None
# Maps after each block; where they are more than before, height and width are halved.
WIDTHS = (32, 64, 64, 96, 96, 128)


def build(classes: int, channels: int, size: int, dropout: float | None) -> nn.Module:
    """Return the network: images B×channels×size×size, of any size from 8, to logits B×classes.

    One 3×3 convolution with 32 maps; six residual blocks; the mean of each map, dropout, and the classifier. The rate
    of dropout is 0 by default. The initial weights follow He et al. (Delving deep into rectifiers, ICCV 2015).
    """
    layers: list[nn.Module] = [nn.Conv2d(channels, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU()]
    layers += [Block(before, after) for before, after in zip((32, *WIDTHS), WIDTHS, strict=False)]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout or 0.0)]
    network = nn.Sequential(*layers, nn.Linear(WIDTHS[-1], classes))
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return network


class Block(nn.Module):
    """Two separable 3×3 convolutions, added to the input."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.added = after - before
        self.first, self.second = nn.Sequential(*separable(before, after)), nn.Sequential(*separable(after, after))

    def forward(self, maps: Tensor) -> Tensor:
        """Map B×before×H×W to B×after×H×W or, where there are more maps than before, to B×after×⌊H/2⌋×⌊W/2⌋."""
        after = functional.relu(self.first(maps))
        if self.added:
            after, maps = functional.max_pool2d(after, 2), functional.avg_pool2d(maps, 2)
            maps = functional.pad(maps, (0, 0, 0, 0, 0, self.added))
        return functional.relu(self.second(after) + maps)
