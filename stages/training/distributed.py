"""The processes that train one network side by side: this one alone, or those that torchrun started."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch
import torch.distributed as dist
from torch import Generator, Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from stages.base.errors import InputError
from stages.training.sync_batchnorm import SharedStatistics


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Be one of the processes that torchrun started; without it, do nothing.

    Raises InputError where another process ends first.
    """
    if not dist.is_torchelastic_launched():
        yield
        return
    signal.signal(signal.SIGTERM, lambda *_: _alone())  # torchrun's word that another has ended
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    except RuntimeError as error:
        if "gloo" not in str(error) and not isinstance(error, dist.DistError):
            raise
        _alone()
    finally:
        dist.destroy_process_group()


def _alone() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the reason shall be told, once
    raise InputError(
        "train: another of the processes that train together has ended, so this one ends too; "
        "start the stage again, and it goes on from the last checkpoint"
    )


def world() -> int:
    """The number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """The number of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def share(batches: Tensor) -> Tensor:
    """This process's faces of batches …×B: …×B/world.

    They are a stretch of each batch and its mirror image from the batch's end, since mixup and cutmix mix a batch with
    itself turned round: both faces of every pair are with one process. Raises InputError where B is not a multiple of
    twice as many as there are processes.
    """
    if world() == 1:
        return batches
    size = batches.shape[-1]
    stretch, rest = divmod(size, 2 * world())
    if rest:
        raise InputError(
            f"train.batch_size: {size} faces at once cannot be shared out in pairs to {world()} "
            f"processes; make them a multiple of {2 * world()}"
        )
    start = rank() * stretch
    return torch.cat([batches[..., start : start + stretch], batches[..., size - start - stretch : size - start]], -1)


def draw(kinds: int, count: int, generator: Generator) -> Tensor:
    """Numbers uniform from 0 to 1 for `count` faces, kinds×count: this process's share of those drawn for all."""
    return share(torch.rand(kinds, count * world(), device=generator.device, generator=generator))


def gathered(mine: Tensor, rows: Tensor | slice, count: int) -> Tensor:
    """A table count×C of which every process has some rows: this one those in `mine`, at `rows`."""
    table = mine.new_zeros(count, mine.shape[1])
    table[rows] = mine
    if world() > 1:
        dist.all_reduce(table)
    return table


def from_first(make: Callable[[], object]) -> object:
    """What `make` returns in the first process, in all of them."""
    if world() == 1:
        return make()
    box = [make() if rank() == 0 else None]
    dist.broadcast_object_list(box)
    return box[0]


def parallel(network: nn.Module) -> nn.Module:
    """`network` with gradients averaged over the processes (PyTorch DDP; Li et al., 2020)."""
    return network if world() == 1 else DistributedDataParallel(network)


def share_statistics(network: nn.Module, device: torch.device) -> Callable[[], object]:
    """Let batch normalisation see the faces of all processes; the context for the forward pass to run in."""
    if world() == 1:
        return nullcontext
    if device.type == "cpu":
        return SharedStatistics
    from timm.layers import convert_sync_batchnorm  # two seconds

    convert_sync_batchnorm(network)
    return nullcontext
