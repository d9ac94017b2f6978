"""`googlenet`: the 22-layer inception network of Szegedy et al. (2015), from torchvision."""

from http.client import HTTPException
from pickle import UnpicklingError

import torch
from torch import Tensor, nn

from stages.models.weights import not_had

IMAGENET_WEIGHTS = True


def build(classes: int, channels: int, size: int, dropout: float | None, imagenet: bool) -> nn.Module:
    """Inception network, its main branch alone: images B×channels×size×size, of any size, to logits B×classes.

    Dropout stands before the last layer, .2 where it is None. Raises InputError where the ImageNet weights cannot be
    had.
    """
    from torchvision.models.googlenet import BasicConv2d, GoogLeNet  # two seconds, as in from_timm

    rate = 0.2 if dropout is None else dropout
    network = GoogLeNet(classes, aux_logits=False, init_weights=False, dropout=rate)
    network.conv1 = BasicConv2d(channels, 64, kernel_size=7, stride=2, padding=3)  # torchvision's is for RGB only
    if imagenet:
        try:
            network.load_state_dict(network.state_dict() | _imagenet(channels))
        except (OSError, HTTPException, UnpicklingError, EOFError, KeyError, RuntimeError) as error:
            raise not_had("googlenet", error) from None
    return network


def _imagenet(channels: int) -> dict[str, Tensor]:
    """Torchvision's weights without the auxiliary and the last layers, for inputs of mean 0 and deviation 1."""
    from torchvision.models import GoogLeNet_Weights

    # What lies in the cache is not checked by hash, so it must not run code.
    weights = GoogLeNet_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True, weights_only=True)
    weights = {name: tensor for name, tensor in weights.items() if not name.startswith(("aux", "fc."))}
    # They were learned on levels from -1 to 1, which torchvision computes from ImageNet's mean and deviation in a step
    # of its own before the network. The same step, put into the first layer, is saved with it.
    scale, shift = torch.tensor([0.229, 0.224, 0.225]) / 0.5, (torch.tensor([0.485, 0.456, 0.406]) - 0.5) / 0.5
    stem = weights["conv1.conv.weight"]
    weights["conv1.bn.running_mean"] = weights["conv1.bn.running_mean"] - stem.sum((2, 3)) @ shift
    stem = stem * scale.view(3, 1, 1)
    weights["conv1.conv.weight"] = stem.sum(1, keepdim=True) if channels == 1 else stem
    return weights
