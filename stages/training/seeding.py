"""Random numbers that depend on the seed and the step alone, so that a run resumed anywhere draws the same ones."""

import random

import numpy as np
import torch


def seed_of(*numbers: int) -> int:
    """One seed, 0 to 2**63 - 1, that stands for several whole numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def reseed(seed: int, process: int = 0) -> None:
    """Seed every global generator: torch's (dropout) and Python's (timm's random erasing) for this process, and NumPy's
    (timm's mixup) for all of them, since they mix alike.
    """
    own = seed_of(seed, process)
    torch.manual_seed(own)
    random.seed(own)
    np.random.seed(seed % 2**32)
