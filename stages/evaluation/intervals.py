"""How sure a figure is, given that faces of one person or film are alike: the bootstrap over groups of faces."""

from collections.abc import Iterator

import numpy as np
from scipy import stats

LEAST = 5  # groups; resampling fewer says little of those that were not met
DRAWS = 2000
AT_ONCE = 100  # draws, to save memory


def intervals(truth: np.ndarray, probabilities: np.ndarray, groups: np.ndarray, seed: int = 0) -> dict[str, dict]:
    """95 % intervals, `low` and `high`, of accuracy, balanced accuracy, macro-F1 and macro AUROC, each 0 to 1.

    `truth` is N classes, `probabilities` N×classes, and `groups` names the N faces' groups, which are drawn with
    replacement, all faces of one together. The percentiles are moved outwards as Student's t is, which makes them
    right for few groups (Hesterberg, What Teachers Should Know About the Bootstrap, 2015, its expanded percentile
    interval). The means are over the classes that a draw holds. Empty where there are fewer than `LEAST` groups; the
    AUROC is left out where all faces are of one class.
    """
    names, members = np.unique(groups, return_inverse=True)
    count = len(names)
    if count < LEAST:
        return {}
    drawn = [_figures(truth, probabilities, members, weights) for weights in _draws(count, seed)]
    tail = stats.norm.cdf(stats.t.ppf(0.025, count - 1) * np.sqrt(count / (count - 1)))
    found = {}
    for name in drawn[0]:
        values = np.concatenate([figures[name] for figures in drawn])
        if not np.isnan(values).all():  # a draw of one class has no AUROC
            low, high = np.nanquantile(values, [tail, 1 - tail])
            found[name] = {"low": float(low), "high": float(high)}
    return found


def _draws(count: int, seed: int) -> Iterator[np.ndarray]:
    """How often each of `count` groups is drawn, in blocks of draws×groups."""
    rng = np.random.default_rng(seed)
    for _ in range(DRAWS // AT_ONCE):
        yield rng.multinomial(count, np.full(count, 1 / count), size=AT_ONCE)


def _figures(truth: np.ndarray, probabilities: np.ndarray, members: np.ndarray, weights: np.ndarray) -> dict:
    """The figures of each draw, all draws at once; `members` is each face's group, `weights` draws×groups."""
    classes = probabilities.shape[1]
    cells = np.zeros((weights.shape[1], classes * classes))
    np.add.at(cells, (members, truth * classes + probabilities.argmax(1)), 1)
    confusion = (weights @ cells).reshape(-1, classes, classes)
    right, true, predicted = np.diagonal(confusion, axis1=1, axis2=2), confusion.sum(2), confusion.sum(1)
    present = true > 0
    recall = np.divide(right, true, where=present, out=np.full(true.shape, np.nan))
    f1 = np.divide(2 * right, true + predicted, where=present, out=np.full(true.shape, np.nan))
    return {
        "accuracy": right.sum(1) / true.sum(1),
        "balanced_accuracy": np.nanmean(recall, 1),
        "macro_f1": np.nanmean(f1, 1),
        "auroc": _auroc(truth, probabilities, weights[:, members]),
    }


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
