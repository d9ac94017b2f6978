"""Pictures prepared on every core, in order, a bounded number at a time: memory stays flat however many there are."""

from collections.abc import Iterable, Iterator
from itertools import chain

from joblib import Parallel, cpu_count, delayed

from stages.datasets.picture import Crop, Face, Picture, Rejected, prepare

BLOCK_PICTURES, BLOCK_BYTES = 512, 2**20  # what travels to a worker at once: enough to outweigh the journey

Item = Picture | Rejected


def prepare_all(items: Iterable[Item], crop: Crop | None, size: int, channels: int) -> Iterator[Face | Rejected]:
    """`prepare` each picture; what was rejected already, or cannot be decoded, comes through as Rejected, in its place.

    With more than one core, worker processes share the pictures out; the order is that of `items` all the same.
    """
    workers = Parallel(n_jobs=cpu_count(), return_as="generator", pre_dispatch="3*n_jobs")
    done = workers(delayed(_prepare_block)(block, crop, size, channels) for block in _blocks(items))
    return chain.from_iterable(done)


def _prepare_block(items: list[Item], crop: Crop | None, size: int, channels: int) -> list[Face | Rejected]:
    return [item if isinstance(item, Rejected) else prepare(item, crop, size, channels) for item in items]


def _blocks(items: Iterable[Item]) -> Iterator[list[Item]]:
    block, length = [], 0
    for item in items:
        block.append(item)
        length += len(item.content or b"") if isinstance(item, Picture) else 0
        if len(block) == BLOCK_PICTURES or length >= BLOCK_BYTES:
            yield block
            block, length = [], 0
    if block:
        yield block
