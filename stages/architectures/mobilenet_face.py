"""`mobilenet_face`: MobileNet, published for 224 pixels, which can start from weights of face recognition at 112.

Howard et al., MobileNets: efficient convolutional neural networks for mobile vision applications, 2017. There is no
batch normalisation, since it is part of the convolutions of the pretrained weights (see `vggface2_weights`).
"""

from torch import Tensor, nn
from torch.nn import functional

from stages.models.vggface2 import vggface2_weights

PRETRAINED = "vggface2"
# Maps before and after, and the stride, of each pair of a depthwise and a pointwise convolution.
PAIRS = (
    (32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2),
    *[(512, 512, 1)] * 5, (512, 1024, 2), (1024, 1024, 1),
)  # fmt: skip


def build(classes: int, channels: int, size: int, dropout: float | None, pretrained: bool) -> nn.Module:
    """Return the network: images B×channels×size×size, of any size, to logits B×classes.

    Dropout precedes the classifier, with the rate 0.2 by default.

    Raises:
        InputError: the pretrained weights could not be loaded.
    """
    layers = [Convolution(channels, 32, 3, 2)]
    for before, after, stride in PAIRS:
        layers += [Convolution(before, before, 3, stride, groups=before), Convolution(before, after, 1, 1)]
    if pretrained:
        for layer, (weight, bias) in zip(layers, vggface2_weights(channels), strict=True):
            layer.load_state_dict({"weight": weight, "bias": bias})
    rate = 0.2 if dropout is None else dropout
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(rate), nn.Linear(1024, classes))


class Convolution(nn.Conv2d):
    """A convolution and ReLU6, padded as in TensorFlow: with one row and column more at the end than at the start."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, groups: int = 1) -> None:
        super().__init__(before, after, kernel, stride, groups=groups)
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, maps: Tensor) -> Tensor:
        """Map B×before×H×W to B×after×⌈H/stride⌉×⌈W/stride⌉."""
        if self.kernel_size[0] > 1:
            across, down = (self._padding(length) for length in (maps.shape[3], maps.shape[2]))
            maps = functional.pad(maps, (*across, *down))
        return functional.relu6(super().forward(maps))

    def _padding(self, length: int) -> tuple[int, int]:
        stride = self.stride[0]
        total = max((-(-length // stride) - 1) * stride + self.kernel_size[0] - length, 0)
        return total // 2, total - total // 2
