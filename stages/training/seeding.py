"""Random seeds that depend only on the run's seed and the step, so that a resumed run draws the same numbers."""

import random

import numpy as np
import torch


def combine_seeds(*numbers: int) -> int:
    """Return one seed, 0 to 2**63 - 1, that is computed from several non-negative integers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def reseed(seed: int, process: int = 0) -> None:
    """Seed all global random number generators.

    Torch (dropout) and Python (timm's random erasing) get a seed of their own in each process. NumPy (timm's mixup)
    gets the same seed in all processes, because they must mix with the same weights.
    """
    process_seed = combine_seeds(seed, process)
    torch.manual_seed(process_seed)
    random.seed(process_seed)
    np.random.seed(seed % 2**32)
