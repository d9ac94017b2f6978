"""Which layer of a network, of whatever architecture, tells where it looks."""

from math import isqrt

import torch
from torch import Tensor, nn

from stages.base.errors import InputError

CELLS = 4  # places along a side, at least: with fewer a map says nothing of a face


def as_maps(output: Tensor) -> Tensor | None:
    """A layer's output as maps B×C×s×s, or None where it has no square of places.

    It has one as B×C×s×s, as B×s×s×C, and as tokens B×T×C: s² patches after what there is of other tokens.
    """
    if output.ndim == 4 and output.shape[2] == output.shape[3]:
        return output
    if output.ndim == 4 and output.shape[1] == output.shape[2]:
        return output.permute(0, 3, 1, 2)
    if output.ndim == 3:
        side = isqrt(output.shape[1])
        return output[:, output.shape[1] - side**2 :].unflatten(1, (side, side)).permute(0, 3, 1, 2)
    return None


def last_layer(network: nn.Module, image: Tensor) -> nn.Module:
    """The last module, in the order in which they end, that tells CELLS×CELLS places or more apart.

    `network` is in eval mode and maps `image`, 1×C×H×W, to logits 1×K. Places that the largest logit does not depend on
    do not count: the patches after the last attention, where a class token is all that is looked at. Nor does what
    enlarges maps. Where there are never so many places, it is the last with the most there are.
    Raises InputError where there are none at all.
    """
    ended = []

    def hook(module: nn.Module, _: object, output: object) -> None:
        if isinstance(output, Tensor) and output.requires_grad and len(output) == 1 and as_maps(output) is not None:
            ended.append((module, output))

    handles = [module.register_forward_hook(hook) for module in network.modules()]
    try:
        largest = network(image.detach().requires_grad_()).max()
    finally:
        for handle in handles:
            handle.remove()
    modules, outputs = [module for module, _ in ended], [output for _, output in ended]
    gradients = torch.autograd.grad(largest, outputs, allow_unused=True) if outputs else []

    candidates, least = [], float("inf")
    for module, gradient in zip(modules, gradients):
        side = as_maps(gradient).shape[-1] if gradient is not None else 1
        once = modules.count(module) == 1  # else it is not told which output is meant
        if 1 < side <= least:
            least = side
            if once and as_maps(gradient).any():
                candidates.append((side, module))
    if not candidates:
        raise InputError("the network tells no places of a face apart, so where it looks cannot be shown")
    enough = min(CELLS, max(side for side, _ in candidates))
    return [module for side, module in candidates if side >= enough][-1]
