"""The learning rate over a run."""

import math

WARM_UP = 0.2  # of the run


def one_cycle(step: int, steps: int) -> float:
    """The share of the highest learning rate at `step`, 0 to `steps` - 1: a linear rise, then half a cosine to 0.

    Follows Loshchilov and Hutter (2017), with the warm-up of Goyal et al. (2017).
    """
    rise = WARM_UP * steps
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))
