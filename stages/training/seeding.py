"""Random seeds that depend only on the run's seed, the purpose and the epoch, so that a resumed run draws the same."""

from enum import IntEnum

import numpy as np
import torch
from torch import Generator


class Purpose(IntEnum):
    """What random numbers are for. Numbers for different purposes are independent."""

    ORDER = 1
    DISTORTION = 2
    ERASING = 3
    NOISE = 4
    MIXING = 5
    DROPOUT = 6


def seeds(count: int, *numbers: int) -> list[int]:
    """Return `count` seeds, 0 to 2**63 - 1, that are computed from several non-negative integers."""
    return (np.random.SeedSequence(numbers).generate_state(count, np.uint64) >> np.uint64(1)).tolist()


def combine_seeds(*numbers: int) -> int:
    """Return one seed, 0 to 2**63 - 1, that is computed from several non-negative integers."""
    return seeds(1, *numbers)[0]


def default_generator(device: torch.device) -> Generator:
    """Return the generator that dropout uses. `torch.manual_seed` sets all generators, which takes a tenth of a ms."""
    if device.type == "cuda":
        return torch.cuda.default_generators[torch.cuda.current_device() if device.index is None else device.index]
    return torch.mps._get_default_mps_generator() if device.type == "mps" else torch.default_generator
