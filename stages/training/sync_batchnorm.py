"""Batch normalisation over the faces of all processes, on the CPU, for which PyTorch's SyncBatchNorm has no code."""

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class SharedStatistics(TorchFunctionMode):
    """Within it, batch normalisation in training takes mean and variance over all processes' parts of a batch."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is functional.batch_norm and kwargs.get("training"):
            return _batch_norm(*args, **kwargs)
        return function(*args, **kwargs)


class _Mean(Function):
    """The mean of a tensor over all processes; gradients take the same way back."""

    @staticmethod
    def forward(context, mine: Tensor) -> Tensor:
        total = mine.clone()
        dist.all_reduce(total)
        return total / dist.get_world_size()

    @staticmethod
    def backward(context, gradient: Tensor) -> Tensor:
        return _Mean.forward(context, gradient)


def _batch_norm(
    maps: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """torch.nn.functional.batch_norm in training, for maps B×C×… of one size in every process."""
    dims, shape = [dim for dim in range(maps.ndim) if dim != 1], [-1] + [1] * (maps.ndim - 2)
    wide = maps.float()
    mean = _Mean.apply(wide.mean(dims))
    centred = wide - mean.view(shape)
    variance = _Mean.apply((centred**2).mean(dims))
    if running_mean is not None:
        with torch.no_grad():
            count = wide.numel() // wide.shape[1] * dist.get_world_size()
            running_mean.lerp_(mean, momentum)
            running_var.lerp_(variance * count / (count - 1), momentum)
    normal = centred * (variance + eps).rsqrt().view(shape)
    if weight is not None:
        normal = normal * weight.view(shape) + bias.view(shape)
    return normal.to(maps.dtype)
