"""The order of the training faces in an epoch."""

import torch
from torch import Tensor

from stages.training.seeding import Purpose, combine_seeds

BLOCK = 1024  # faces that are read from disk in a row
WINDOW = 64  # blocks whose faces are shuffled together


def epoch_batches(
    targets: Tensor, batch_size: int, balanced: bool, seed: int, epoch: int, streamed: bool = False
) -> Tensor:
    """Return the positions of the faces in every batch of an epoch.

    Each face occurs once, in random order. The last batch is filled up with faces of the first one, so that all batches
    have the same size.

    Args:
        targets: classes of the faces, int64, N, on the CPU.
        batch_size: faces per batch.
        balanced: whether to draw N faces with replacement instead, with equal probability for each class.
        seed: seed of the run.
        epoch: number of the epoch.
        streamed: whether the faces are read from disk. Then blocks of consecutive faces are shuffled, and the faces
            within each window of blocks, so that most reads are sequential.

    Returns:
        int64, batches×batch_size.
    """
    generator = torch.Generator().manual_seed(combine_seeds(seed, Purpose.ORDER, epoch))
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
