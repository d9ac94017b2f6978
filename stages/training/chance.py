"""Random numbers that depend on the seed and the step alone, so that a run resumed anywhere draws the same ones."""

import random

import numpy as np
import torch


def seed_of(*numbers: int) -> int:
    """One seed, 0 to 2**63 - 1, that stands for several whole numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def reseed(seed: int) -> None:
    """Seed every global generator: torch's (dropout), NumPy's (timm's mixup) and Python's (timm's random erasing)."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)
