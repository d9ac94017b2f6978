"""`dlib_face`: dlib's residual network for images of 103 pixels or more, with weights of face recognition by dlib.

He, Zhang, Ren and Sun, Deep residual learning for image recognition, CVPR 2016; King, dnn_face_recognition_ex.cpp of
dlib, 2017: the 34-layer network with 29 convolutions and half the maps. There is no batch normalisation, since it is
part of the convolutions of the pretrained weights (see `dlib_weights`).
"""

from torch import Tensor, nn
from torch.nn import functional

from stages.base.errors import InputError
from stages.models.dlib_faces import dlib_weights

PRETRAINED = "dlib"
# Maps and stride of each block.
BLOCKS = (
    *[(32, 1)] * 3, (64, 2), *[(64, 1)] * 3, (128, 2), *[(128, 1)] * 2, (256, 2), *[(256, 1)] * 2, (256, 2),
)  # fmt: skip


def build(classes: int, channels: int, size: int, dropout: float | None, pretrained: bool) -> nn.Module:
    """Return the network: images B×channels×size×size to logits B×classes, published for 150×150.

    Dropout precedes the classifier, with the rate 0.2 by default.

    Raises:
        InputError: `size` is too small for the convolutions, or the pretrained weights could not be loaded.
    """
    if size < 103:
        raise InputError(f"params.yaml: input_size: dlib_face needs at least 103 pixels, not {size}")
    layers, before = [nn.Conv2d(channels, 32, 7, stride=2), nn.ReLU(), nn.MaxPool2d(3, stride=2)], 32
    for maps, stride in BLOCKS:
        layers.append(Block(before, maps, stride))
        before = maps
    rate = 0.2 if dropout is None else dropout
    network = nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(rate), nn.Linear(before, classes)
    )
    if pretrained:
        convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
        for layer, (weight, bias) in zip(convolutions, dlib_weights(channels), strict=True):
            layer.load_state_dict({"weight": weight, "bias": bias})
    return network


class Block(nn.Module):
    """Two 3×3 convolutions, plus their input; with stride 2 its 2×2 average. Missing maps and pixels count as 0."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride, padding=1 if stride == 1 else 0)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.zeros_(self.second.weight)  # or else the sums grow with the depth (Zhang et al., Fixup, ICLR 2019)

    def forward(self, maps: Tensor) -> Tensor:
        """Map B×before×H×H to B×after×H×H, or with stride 2 to B×after×⌊H/2⌋×⌊H/2⌋."""
        added = self.second(functional.relu(self.first(maps)))
        if self.first.stride[0] == 2:
            maps = functional.avg_pool2d(maps, 2)
            more, missing = added.shape[1] - maps.shape[1], maps.shape[2] - added.shape[2]
            maps = functional.pad(maps, (0, 0, 0, 0, 0, more))
            added = functional.pad(added, (0, missing, 0, missing))
        return functional.relu(maps + added)
