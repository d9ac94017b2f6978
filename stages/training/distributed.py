"""Data-parallel training by the processes that torchrun started. Without torchrun there is one process."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from stages.base.errors import InputError

T = TypeVar("T")


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Join the processes that torchrun started; do nothing without torchrun.

    Raises:
        InputError: another process ended first.
    """
    if not dist.is_torchelastic_launched():
        yield
        return
    signal.signal(signal.SIGTERM, lambda *_: _raise_other_ended())  # torchrun's signal that another process ended
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    except RuntimeError as error:
        if "gloo" not in str(error) and not isinstance(error, dist.DistError):
            raise
        _raise_other_ended()
    finally:
        dist.destroy_process_group()


def _raise_other_ended() -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # report the reason only once
    raise InputError(
        "train: another training process has ended, so this one ends too; "
        "run the same command again to continue from the last checkpoint"
    )


def world_size() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Return the number of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def local_share(batches: Tensor) -> Tensor:
    """Return this process's faces of each batch.

    Mixup and cutmix mix each face of a batch with the one at the mirrored position. So a process gets consecutive faces
    from the first half of the batch and their partners from the second half.

    Args:
        batches: …×B.

    Returns:
        …×B/processes.

    Raises:
        InputError: B is not a multiple of twice the number of processes.
    """
    if world_size() == 1:
        return batches
    size = batches.shape[-1]
    pairs, rest = divmod(size, 2 * world_size())
    if rest:
        raise InputError(
            f"train.batch_size: {size} faces cannot be split in pairs between {world_size()} processes; "
            f"make them a multiple of {2 * world_size()}"
        )
    start = rank() * pairs
    return torch.cat([batches[..., start : start + pairs], batches[..., size - start - pairs : size - start]], -1)


def gather_rows(local: Tensor, rows: Tensor | slice, count: int) -> Tensor:
    """Return a table, count×C, of the rows of all processes; those of this process are `local`, at positions `rows`."""
    table = local.new_zeros(count, local.shape[1])
    table[rows] = local
    if world_size() > 1:
        dist.all_reduce(table)
    return table


def from_first(function: Callable[[], T]) -> T:
    """Call `function` in the first process and return its result in all processes."""
    if world_size() == 1:
        return function()
    results: list[Any] = [function() if rank() == 0 else None]
    dist.broadcast_object_list(results)
    return results[0]


def mean(local: Tensor) -> Tensor:
    """Return the mean of a tensor over all processes."""
    total = local / world_size()
    if world_size() > 1:
        dist.all_reduce(total)
    return total


def average_gradients(network: nn.Module) -> None:
    """Replace the gradients of all weights by their means over the processes.

    They are exchanged as one tensor, so that the order of the sums is always the same. DistributedDataParallel divides
    them otherwise after its first step, so that three or more processes would not resume exactly.
    """
    if world_size() == 1:
        return
    gradients = [weights.grad for weights in network.parameters() if weights.grad is not None]
    means = mean(torch.cat([gradient.flatten() for gradient in gradients]))
    for gradient, values in zip(gradients, means.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(values.view(gradient.shape))
