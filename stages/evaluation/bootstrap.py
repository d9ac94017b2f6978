"""Confidence intervals of metrics by the cluster bootstrap, which resamples groups of faces with replacement."""

from collections.abc import Iterator

import numpy as np
from scipy import stats

MIN_GROUPS = 5  # fewer groups show too little of the variation between groups
RESAMPLES = 2000
BLOCK = 100  # resamples that are computed at once, which limits the memory in use


def resampled_counts(groups: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each group occurs in each resample, in blocks of shape BLOCK×groups.

    Every resample draws `groups` groups with replacement.
    """
    rng = np.random.default_rng(seed)
    for _ in range(RESAMPLES // BLOCK):
        yield rng.multinomial(groups, np.full(groups, 1 / groups), size=BLOCK)


def group_confusions(truth: np.ndarray, prediction: np.ndarray, groups: np.ndarray, classes: int) -> np.ndarray:
    """Return one confusion matrix for each group.

    Args:
        truth: true classes, N integers from 0.
        prediction: predicted classes, N.
        groups: group numbers from 0, N.
        classes: the number of classes.

    Returns:
        Counts of faces, groups×classes×classes; the second axis is the true class, the third the predicted one.
    """
    counts = np.zeros((groups.max() + 1, classes, classes))
    np.add.at(counts, (groups, truth, prediction), 1)
    return counts


def confusion_metrics(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Return accuracy, balanced accuracy and macro-F1 of confusion matrices.

    Args:
        confusion: counts, …×classes×classes, true classes first; every matrix has at least one face.

    Returns:
        Each metric, 0 to 1, with the leading shape of `confusion`. As in `classification_metrics`, means are over the
        true classes of a matrix that have a face.
    """
    correct = np.diagonal(confusion, axis1=-2, axis2=-1)
    true, predicted = confusion.sum(-1), confusion.sum(-2)
    present = true > 0
    recall = np.divide(correct, true, where=present, out=np.full(true.shape, np.nan))
    f1 = np.divide(2 * correct, true + predicted, where=present, out=np.full(true.shape, np.nan))
    return {
        "accuracy": correct.sum(-1) / true.sum(-1),
        "balanced_accuracy": np.nanmean(recall, -1),
        "macro_f1": np.nanmean(f1, -1),
    }


def confidence_interval(values: np.ndarray, groups: int) -> dict[str, float]:
    """Return the 95 % confidence interval of a metric, as `low` and `high`.

    This is the expanded percentile interval: the percentiles lie further out than 2.5 % and 97.5 %, which corrects for
    a small number of groups (Hesterberg, What Teachers Should Know About the Bootstrap, The American Statistician,
    2015).

    Args:
        values: the metric in each resample; NaN is ignored.
        groups: the number of groups that were resampled.
    """
    tail = stats.norm.cdf(stats.t.ppf(0.025, groups - 1) * np.sqrt(groups / (groups - 1)))
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return {"low": float(low), "high": float(high)}


def confidence_intervals(
    truth: np.ndarray, probabilities: np.ndarray, groups: np.ndarray, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Return 95 % confidence intervals of accuracy, balanced accuracy, macro-F1 and macro AUROC.

    Groups are resampled, and all faces of a group together. Means over classes are over those in a resample.

    Args:
        truth: true classes, N integers from 0.
        probabilities: predicted probabilities, N×classes, 0 to 1.
        groups: a name or number of the group of each face, N.
        seed: seed of the resamples.

    Returns:
        `low` and `high`, 0 to 1, for each metric. Empty if there are fewer than MIN_GROUPS groups. Without AUROC if
        all faces are of one class.
    """
    names, members = np.unique(groups, return_inverse=True)
    if len(names) < MIN_GROUPS:
        return {}
    counts = group_confusions(truth, probabilities.argmax(1), members, probabilities.shape[1])
    blocks = [
        confusion_metrics(np.tensordot(weights, counts, 1))
        | {"auroc": _macro_auroc(truth, probabilities, weights[:, members])}
        for weights in resampled_counts(len(names), seed)
    ]
    intervals = {}
    for name in blocks[0]:
        values = np.concatenate([block[name] for block in blocks])
        if not np.isnan(values).all():  # a resample of one class has no AUROC
            intervals[name] = confidence_interval(values, len(names))
    return intervals


def _macro_auroc(truth: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the macro AUROC of each resample.

    The area under the curve is the rank sum statistic, with half a point for a tie (Hanley and McNeil, The Meaning and
    Use of the Area under a ROC Curve, Radiology, 1982).

    Args:
        truth: true classes, N integers from 0.
        probabilities: N×classes, 0 to 1.
        weights: how often each face occurs in each resample, resamples×N.

    Returns:
        The mean over the classes in a resample, 0 to 1; NaN if it has only one.
    """
    class_areas = []
    for label in np.unique(truth):
        order = np.argsort(probabilities[:, label])
        ties = np.flatnonzero(np.diff(probabilities[order, label], prepend=-1))
        positive, ordered = truth[order] == label, weights[:, order]
        positives = np.add.reduceat(ordered * positive, ties, axis=1)
        negatives = np.add.reduceat(ordered * ~positive, ties, axis=1)
        below = negatives.cumsum(1) - negatives / 2
        pairs = positives.sum(1) * negatives.sum(1)
        ranked = (positives * below).sum(1)
        class_areas.append(np.divide(ranked, pairs, where=pairs > 0, out=np.full(len(weights), np.nan)))
    areas = np.array(class_areas)
    known = ~np.isnan(areas)
    return np.divide(np.nansum(areas, 0), known.sum(0), where=known.any(0), out=np.full(len(weights), np.nan))
