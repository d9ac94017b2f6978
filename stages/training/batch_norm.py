"""Batch normalisation in several processes, whose statistics are shared or local.

PyTorch's SyncBatchNorm does not run on a CPU, and on a GPU it makes the host wait in every layer.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class SynchronisedBatchNorm(TorchFunctionMode):
    """A context in which batch normalisation computes mean and variance over the batches of all processes."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Replace `batch_norm` in training mode; call every other function unchanged."""
        kwargs = kwargs or {}
        if function is functional.batch_norm and kwargs.get("training"):
            return _batch_norm(*args, **kwargs)
        return function(*args, **kwargs)


class _Mean(Function):
    """The mean of a tensor over all processes; the gradient is the mean of the gradients."""

    @staticmethod
    def forward(context: Any, local: Tensor) -> Tensor:
        total = local.clone()
        dist.all_reduce(total)
        return total / dist.get_world_size()

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return _Mean.forward(context, *gradients)


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
    """Return `torch.nn.functional.batch_norm` in training mode; maps are B×C×…, of the same shape in all processes."""
    dims, shape = [dim for dim in range(maps.ndim) if dim != 1], [-1] + [1] * (maps.ndim - 2)
    full_precision = maps.float()
    mean = _Mean.apply(full_precision.mean(dims))
    centred = full_precision - mean.view(shape)
    variance = _Mean.apply((centred**2).mean(dims))
    if running_mean is not None and running_var is not None:
        with torch.no_grad():
            count = full_precision.numel() // full_precision.shape[1] * dist.get_world_size()
            running_mean.lerp_(mean, momentum)
            running_var.lerp_(variance * count / (count - 1), momentum)
    normalised = centred * (variance + eps).rsqrt().view(shape)
    if weight is not None and bias is not None:
        normalised = normalised * weight.view(shape) + bias.view(shape)
    return normalised.to(maps.dtype)


def statistics(*networks: nn.Module) -> Tensor:
    """Return the running means and variances (all buffers of floating-point numbers) as one vector."""
    # A network without such buffers gives an empty vector on its own device: NCCL exchanges no CPU tensors.
    empty = next(networks[0].parameters()).new_empty(0)
    return torch.cat([empty, *(buffer.flatten() for buffer in _buffers(networks))])


def set_statistics(values: Tensor, *networks: nn.Module) -> None:
    """Set the running means and variances to those that `statistics` returned."""
    buffers = _buffers(networks)
    for buffer, part in zip(buffers, values.split([buffer.numel() for buffer in buffers]), strict=True):
        buffer.copy_(part.view(buffer.shape))


def _buffers(networks: Sequence[nn.Module]) -> list[Tensor]:
    return [buffer for network in networks for buffer in network.buffers() if buffer.is_floating_point()]
