"""The bootstrap over groups of faces: what figures would have been with other people or films, many draws at once."""

from collections.abc import Iterator

import numpy as np
from scipy import stats

LEAST = 5  # groups; resampling fewer says little of those that were not met
DRAWS = 2000
AT_ONCE = 100  # draws, to save memory


def draws(count: int, seed: int) -> Iterator[np.ndarray]:
    """How often each of `count` groups is drawn, with replacement, in blocks of draws×groups."""
    rng = np.random.default_rng(seed)
    for _ in range(DRAWS // AT_ONCE):
        yield rng.multinomial(count, np.full(count, 1 / count), size=AT_ONCE)


def confusions(truth: np.ndarray, prediction: np.ndarray, members: np.ndarray, classes: int) -> np.ndarray:
    """The confusion matrix of each group, groups×classes×classes, true classes first.

    `truth`, `prediction` and `members` are N: each face's class, what it was taken for, and its group's number.
    """
    cells = np.zeros((members.max() + 1, classes, classes))
    np.add.at(cells, (members, truth, prediction), 1)
    return cells


def merits(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Accuracy, balanced accuracy and macro-F1, 0 to 1, of confusion matrices …×classes×classes; each has the shape ….

    The means are over the classes that occur, as in `scores`.
    """
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    true, predicted = confusion.sum(-1), confusion.sum(-2)
    present = true > 0
    recall = np.divide(right, true, where=present, out=np.full(true.shape, np.nan))
    f1 = np.divide(2 * right, true + predicted, where=present, out=np.full(true.shape, np.nan))
    return {
        "accuracy": right.sum(-1) / true.sum(-1),
        "balanced_accuracy": np.nanmean(recall, -1),
        "macro_f1": np.nanmean(f1, -1),
    }


def interval(values: np.ndarray, count: int) -> dict[str, float]:
    """The 95 % interval, `low` and `high`, of a figure whose draws of `count` groups are `values`; NaN do not count.

    The percentiles are moved outwards as Student's t is, which makes them right for few groups (Hesterberg, What
    Teachers Should Know About the Bootstrap, 2015, its expanded percentile interval).
    """
    tail = stats.norm.cdf(stats.t.ppf(0.025, count - 1) * np.sqrt(count / (count - 1)))
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return {"low": float(low), "high": float(high)}
