"""The layer of a network, of any architecture, whose feature maps give the activation map."""

from math import isqrt

import torch
from torch import Tensor, nn

from stages.base.errors import InputError

MIN_SIDE = 4  # positions along a side; a coarser map cannot separate the regions of a face


def as_feature_maps(output: Tensor) -> Tensor | None:
    """Return a layer's output as square feature maps B×C×s×s, or None if it has no such form.

    Args:
        output: B×C×s×s, B×s×s×C, or tokens B×T×C whose last s² tokens are image patches.
    """
    if output.ndim == 4 and output.shape[2] == output.shape[3]:
        return output
    if output.ndim == 4 and output.shape[1] == output.shape[2]:
        return output.permute(0, 3, 1, 2)
    if output.ndim == 3:
        side = isqrt(output.shape[1])
        return output[:, output.shape[1] - side**2 :].unflatten(1, (side, side)).permute(0, 3, 1, 2)
    return None


def target_layer(network: nn.Module, image: Tensor) -> nn.Module:
    """Return the last layer whose feature maps have MIN_SIDE×MIN_SIDE positions or more.

    If no layer has so many positions, it is the last of those with the most. Two kinds of layers are skipped: those
    whose positions do not affect the largest logit (such as the patches after the last attention, if the head reads
    only the class token), and those that enlarge feature maps.

    Args:
        network: in evaluation mode; maps `image` to logits 1×K.
        image: float32, 1×C×H×W.

    Raises:
        InputError: if no layer has feature maps with more than one position.
    """
    recorded = []

    def record(module: nn.Module, _: object, output: object) -> None:
        if not isinstance(output, Tensor) or not output.requires_grad or len(output) != 1:
            return
        if as_feature_maps(output) is not None:
            recorded.append((module, output))

    handles = [module.register_forward_hook(record) for module in network.modules()]
    try:
        largest = network(image.detach().requires_grad_()).max()
    finally:
        for handle in handles:
            handle.remove()
    modules, outputs = [module for module, _ in recorded], [output for _, output in recorded]
    gradients = torch.autograd.grad(largest, outputs, allow_unused=True) if outputs else ()

    candidates, smallest = [], float("inf")
    for module, gradient in zip(modules, gradients, strict=True):
        maps = as_feature_maps(gradient) if gradient is not None else None
        if maps is None or not 1 < maps.shape[-1] <= smallest:
            continue
        smallest = maps.shape[-1]
        used_once = modules.count(module) == 1  # a hook on a module that runs twice would see two outputs
        if used_once and maps.any():
            candidates.append((smallest, module))
    if not candidates:
        raise InputError("no layer of the network has feature maps, so activation maps cannot be computed")
    enough = min(MIN_SIDE, max(side for side, _ in candidates))
    return [module for side, module in candidates if side >= enough][-1]
