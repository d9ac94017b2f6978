"""How long one face takes."""

from collections.abc import Callable
from time import thread_time

import numpy as np
import torch

WARM_UP, ROUNDS = 5, 101


def latencies(predictors: dict[str, Callable[[np.ndarray], object]], face: np.ndarray) -> dict[str, float]:
    """Return the median time in milliseconds in which each predictor predicts one face on one CPU thread.

    It is the time that the thread computes, which other programs on the computer hardly lengthen. Predictors are called
    in turn, so that a computer that becomes slower for a while slows all of them.

    Args:
        predictors: by name. They compute in the calling thread; torch is restricted to it.
        face: a batch of one face.
    """
    times: dict[str, list[float]] = {name: [] for name in predictors}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for _ in range(WARM_UP + ROUNDS):
        for name, predict in predictors.items():
            start = thread_time()
            predict(face)
            times[name].append(thread_time() - start)
    torch.set_num_threads(threads)
    return {name: round(1000 * float(np.median(seconds[WARM_UP:])), 3) for name, seconds in times.items()}
