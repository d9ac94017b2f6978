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


def intervals(truth: np.ndarray, probabilities: np.ndarray, groups: np.ndarray, seed: int = 0) -> dict[str, dict]:
    """95 % intervals, `low` and `high`, of accuracy, balanced accuracy, macro-F1 and macro AUROC, each 0 to 1.

    `truth` is N classes, `probabilities` N×classes, and `groups` names the N faces' groups, which are drawn with
    replacement, all faces of one together. The means are over the classes that a draw holds. Empty where there are
    fewer than `LEAST` groups; the AUROC is left out where all faces are of one class.
    """
    names, members = np.unique(groups, return_inverse=True)
    if len(names) < LEAST:
        return {}
    cells = confusions(truth, probabilities.argmax(1), members, probabilities.shape[1])
    drawn = [
        merits(np.tensordot(weights, cells, 1)) | {"auroc": _auroc(truth, probabilities, weights[:, members])}
        for weights in draws(len(names), seed)
    ]
    found = {}
    for name in drawn[0]:
        values = np.concatenate([figures[name] for figures in drawn])
        if not np.isnan(values).all():  # a draw of one class has no AUROC
            found[name] = interval(values, len(names))
    return found


def _auroc(truth: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The macro AUROC of each draw, `weights` draws×faces, by the rank sum with ties (Hanley and McNeil, 1982)."""
    areas = []
    for label in np.unique(truth):
        order = np.argsort(probabilities[:, label])
        ties = np.flatnonzero(np.diff(probabilities[order, label], prepend=-1))
        positive, ordered = truth[order] == label, weights[:, order]
        ours = np.add.reduceat(ordered * positive, ties, axis=1)
        others = np.add.reduceat(ordered * ~positive, ties, axis=1)
        below = others.cumsum(1) - others / 2
        pairs = ours.sum(1) * others.sum(1)
        won = (ours * below).sum(1)
        areas.append(np.divide(won, pairs, where=pairs > 0, out=np.full(len(weights), np.nan)))
    areas = np.array(areas)
    held = ~np.isnan(areas)
    return np.divide(np.nansum(areas, 0), held.sum(0), where=held.any(0), out=np.full(len(weights), np.nan))
