"""Which faces make up each batch of an epoch."""

import torch
from torch import Tensor

from stages.training.seeding import seed_of

BLOCK, WINDOW = 1024, 64  # faces read in a row, and blocks that are shuffled into one another


def epoch_order(
    targets: Tensor, batch_size: int, balanced: bool, seed: int, epoch: int, streamed: bool = False
) -> Tensor:
    """The rows of every batch, int64 batches×`batch_size`, given the classes `targets`, int64 N on the CPU.

    Each face comes once, in an order drawn from `seed` and `epoch`; the last batch is filled up from the first, so
    that all batches are of one size. `balanced` draws N faces with replacement instead, every class equally often. Of
    faces that are `streamed` from disk the blocks come in random order and the faces of each window of blocks shuffled,
    so that they are read in long stretches.
    """
    generator = torch.Generator().manual_seed(seed_of(seed, epoch))
    if balanced:
        weights = 1 / targets.bincount().clamp(min=1)[targets].double()
        rows = torch.multinomial(weights, len(targets), replacement=True, generator=generator)
    elif streamed:
        blocks = torch.arange(len(targets)).split(BLOCK)
        rows = torch.cat([blocks[block] for block in torch.randperm(len(blocks), generator=generator)])
        windows = rows.split(BLOCK * WINDOW)
        rows = torch.cat([window[torch.randperm(len(window), generator=generator)] for window in windows])
    else:
        rows = torch.randperm(len(targets), generator=generator)
    batches = -(-len(rows) // batch_size)
    return rows.repeat(-(-batches * batch_size // len(rows)))[: batches * batch_size].view(batches, batch_size)
