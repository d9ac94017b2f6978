"""Whether a network can be trained deterministically, found out before the training."""

import torch
from torch import nn
from torch.func import functional_call

from stages.base.errors import InputError
from stages.models.hardware import autocast, device_name, precision
from stages.models.preprocessing import Inputs
from stages.params.models import Recipe

MISSING = " does not have a deterministic implementation"  # part of torch's error message


def check_deterministic(network: nn.Module, inputs: Inputs, recipe: Recipe) -> None:
    """Compute the gradients of two images, as a step of the training would do; nothing of the network is changed.

    Torch raises its error as late as in the backward pass of the first step, and which operations raise it depends on
    the device.

    Args:
        network: the network, in training mode on the device to train on.
        inputs: its preprocessing.
        recipe: the architecture and the precision.

    Raises:
        InputError: on this device, torch has no deterministic algorithm for one of the network's operations.
    """
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    device = weights[0].device
    images = torch.zeros(2, len(inputs.mean), inputs.size, inputs.size, device=device)
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}  # batch normalisation changes them
    try:
        with autocast(device, precision(device, recipe.precision)):
            outputs = functional_call(network, buffers, (images,))
        torch.autograd.grad(outputs.sum(), weights, allow_unused=True)
    except RuntimeError as error:
        operation, missing, _ = str(error).partition(MISSING)
        if not missing:
            raise
        raise InputError(
            f"params.yaml: model: {recipe.arch} cannot be trained on {device_name(device)} so that the training "
            f"repeats exactly: torch has no deterministic algorithm for {operation}; choose another model"
        ) from None
