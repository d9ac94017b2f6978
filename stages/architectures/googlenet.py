"""`googlenet`: the inception network with 22 layers, from torchvision.

Szegedy et al., Going deeper with convolutions, CVPR 2015.
"""

from http.client import HTTPException
from pickle import UnpicklingError

import torch
from torch import Tensor, nn

from stages.models.weights import download_error

PRETRAINED = "imagenet"


def build(classes: int, channels: int, size: int, dropout: float | None, pretrained: bool) -> nn.Module:
    """Return the network without auxiliary classifiers: images B×channels×size×size, of any size, to logits B×classes.

    Dropout precedes the classifier, with the rate 0.2 by default.

    Raises:
        InputError: the ImageNet weights could not be loaded.
    """
    from torchvision.models.googlenet import BasicConv2d, GoogLeNet  # slow to import

    rate = 0.2 if dropout is None else dropout
    network = GoogLeNet(classes, aux_logits=False, init_weights=False, dropout=rate)
    network.conv1 = BasicConv2d(channels, 64, kernel_size=7, stride=2, padding=3)  # torchvision's takes RGB only
    if pretrained:
        try:
            network.load_state_dict(network.state_dict() | _imagenet_weights(channels))
        except (OSError, HTTPException, UnpicklingError, EOFError, KeyError, RuntimeError) as error:
            raise download_error("googlenet", error) from None
    return network


def _imagenet_weights(channels: int) -> dict[str, Tensor]:
    """Return torchvision's weights without classifiers, for images normalised to mean 0 and standard deviation 1."""
    from torchvision.models import GoogLeNet_Weights  # slow to import

    # torchvision does not check the hash of a cached file, so loading it must not be able to run code.
    state = GoogLeNet_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True, weights_only=True)
    weights: dict[str, Tensor] = {name: tensor for name, tensor in state.items() if not name.startswith(("aux", "fc."))}
    # The network was trained on levels from -1 to 1. torchvision computes them from normalised images before the first
    # layer; here the same linear map is part of the first layer, and so it is saved with the network.
    scale, shift = torch.tensor([0.229, 0.224, 0.225]) / 0.5, (torch.tensor([0.485, 0.456, 0.406]) - 0.5) / 0.5
    stem = weights["conv1.conv.weight"]
    weights["conv1.bn.running_mean"] = weights["conv1.bn.running_mean"] - stem.sum((2, 3)) @ shift
    stem = stem * scale.view(3, 1, 1)
    weights["conv1.conv.weight"] = stem.sum(1, keepdim=True) if channels == 1 else stem
    return weights
