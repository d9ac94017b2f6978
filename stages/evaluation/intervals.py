"""How sure a figure is, given that faces of one person or film are alike: the bootstrap over groups of faces."""

import numpy as np

from stages.evaluation.resampling import LEAST, confusions, draws, interval, merits


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
