"""95 % confidence intervals of metrics, from how much the metrics vary between groups of faces.

The faces of a group (of a person or a film, say) are alike, so groups are the independent observations. The data sets'
shares in the faces are fixed, so groups are compared within their data set (a stratum). The standard error is that of
the jackknife that leaves out one group at a time; the interval is Wilson's with the effective number of observations.
"""

import numpy as np
from scipy import stats
from scipy.special import expit, logit

MIN_GROUPS = 8  # fewer groups show too little of the variation between groups
FEW_GROUPS = 12  # with fewer groups an interval carries a warning
NEGLIGIBLE = 1e-15  # variances below are rounding errors


def warning(groups: int) -> dict[str, str]:
    """Return a warning under the key `warning` if an interval is from few groups, else an empty dictionary."""
    if not MIN_GROUPS <= groups < FEW_GROUPS:
        return {}
    return {"warning": f"only {groups} groups: the 95 % interval may be too narrow or too wide"}


def group_strata(datasets: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return the stratum of each group: the data set that most of its faces are of.

    A data set with a single group does not show how much groups vary. It joins the data set with the most groups, which
    makes intervals wider rather than narrower (collapsed strata; Cochran, Sampling Techniques, 1977).

    Args:
        datasets: the data set of each face, N.
        members: the group number of each face from 0, N.

    Returns:
        One integer for each group, from 0.
    """
    names, numbers = np.unique(datasets, return_inverse=True)
    faces = np.zeros((members.max() + 1, len(names)))
    np.add.at(faces, (members, numbers), 1)
    strata = faces.argmax(1)
    sizes = np.bincount(strata)
    return np.where(sizes[strata] == 1, sizes.argmax(), strata)


def group_confusions(truth: np.ndarray, prediction: np.ndarray, members: np.ndarray, classes: int) -> np.ndarray:
    """Return one confusion matrix for each group.

    Args:
        truth: true classes, N integers from 0.
        prediction: predicted classes, N.
        members: group numbers from 0, N.
        classes: the number of classes.

    Returns:
        Counts of faces, groups×classes×classes; the second axis is the true class, the third the predicted one.
    """
    counts = np.zeros((members.max() + 1, classes, classes))
    np.add.at(counts, (members, truth, prediction), 1)
    return counts


def confusion_metrics(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Return metrics of confusion matrices.

    Args:
        confusion: counts, …×classes×classes, true classes first; every matrix has at least one face.

    Returns:
        `accuracy`, `balanced_accuracy` and `macro_f1`, 0 to 1, with the leading shape of `confusion`, and `recall` and
        `f1` with one more axis for the classes: NaN for a true class without a face. As in `classification_metrics`,
        means are over the true classes that have a face.
    """
    correct = np.diagonal(confusion, axis1=-2, axis2=-1)
    true, predicted = confusion.sum(-1), confusion.sum(-2)
    recall = np.divide(correct, true, where=true > 0, out=np.full(true.shape, np.nan))
    f1 = np.divide(2 * correct, true + predicted, where=true > 0, out=np.full(true.shape, np.nan))
    return _with_means({"accuracy": correct.sum(-1) / true.sum(-1), "recall": recall, "f1": f1})


def without_each(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return the metrics of `confusion_metrics` without each group in turn, with the groups as first axis.

    A class whose only faces are of the group that is left out keeps its recall and F1, so that all means are over the
    same classes.

    Args:
        counts: confusion matrices, groups×classes×classes.
    """
    total = counts.sum(0)
    whole, rest = confusion_metrics(total), confusion_metrics(total - counts)
    kept = {name: np.where(np.isnan(rest[name]), whole[name], rest[name]) for name in ("recall", "f1")}
    return _with_means({"accuracy": rest["accuracy"], **kept})


def _with_means(metrics: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    means = {"balanced_accuracy": "recall", "macro_f1": "f1"}
    return metrics | {mean: np.nanmean(metrics[name], -1) for mean, name in means.items()}


def deviations(without: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """Return the deviation of each group, scaled so that the sum of their squares is the jackknife's variance.

    Args:
        without: a metric without each group in turn, one value per group.
        strata: the stratum of each group; none has a single group.

    References:
        Rao and Shao, Jackknife Variance Estimation with Survey Data under Hot Deck Imputation, Biometrika, 1992, for
        the jackknife of stratified groups.
    """
    sizes = np.bincount(strata)
    means = np.bincount(strata, without) / np.maximum(sizes, 1)
    return (without - means[strata]) * np.sqrt((sizes - 1) / np.maximum(sizes, 1))[strata]


def degrees_of_freedom(deviations: np.ndarray, strata: np.ndarray) -> float:
    """Return how many degrees of freedom a variance from `deviations` has, from 1 to groups minus strata.

    They are fewer where few groups make most of the variance, because the others are small or have no mistakes:
    2 / df = 2 / (groups - 1) + kurtosis / groups, which is the relative variance of a sample variance.
    """
    groups, most = len(deviations), len(deviations) - len(np.unique(strata))
    if (deviations**2).sum() < NEGLIGIBLE:
        return most
    inverse = 1 / (groups - 1) + stats.kurtosis(deviations, bias=False) / groups / 2
    return float(1 / np.clip(inverse, 1 / most, 1))


def wilson_interval(value: float, variance: float, df: float, groups: int) -> dict[str, float]:
    """Return the 95 % confidence interval of a metric from 0 to 1, as `low` and `high`.

    It is Wilson's interval of a proportion with Student's quantile, for as many observations as would give the
    proportion this variance (Dean and Pagano, Evaluating Confidence Interval Methods for Binomial Proportions in
    Clustered Surveys, Journal of Survey Statistics and Methodology, 2015). If no group deviates, say because there is
    no mistake, each group is one observation.

    Args:
        value: the metric.
        variance: its variance.
        df: degrees of freedom of the variance.
        groups: the number of groups.
    """
    size = value * (1 - value) / variance if variance > NEGLIGIBLE and 0 < value < 1 else groups
    quantile = stats.t.ppf(0.975, df)
    centre = value + quantile**2 / (2 * size)
    half = quantile * np.sqrt(value * (1 - value) / size + (quantile / (2 * size)) ** 2)
    low, high = (float((centre + side * half) / (1 + quantile**2 / size)) for side in (-1, 1))
    return {"low": min(max(low, 0.0), value), "high": max(min(high, 1.0), value)}


def jackknife_interval(value: float, without: np.ndarray, strata: np.ndarray, groups: int) -> dict[str, float]:
    """Return the 95 % confidence interval of a metric from its values without each group in turn.

    Args:
        value: the metric, 0 to 1.
        without: its values, one for each group.
        strata: the stratum of each group.
        groups: the number of groups that have faces for this metric.
    """
    spread = deviations(without, strata)
    df = min(degrees_of_freedom(spread, strata), groups - 1)
    return wilson_interval(value, float((spread**2).sum()), df, groups)


def area_interval(area: float, without: np.ndarray, strata: np.ndarray) -> dict[str, float]:
    """Return the 95 % confidence interval of an area under the ROC curve from its values without each group in turn.

    Near 1 an area varies the less, the closer it is, so deviations are compared on the logit scale (Qin and Hotilovac,
    Comparison of Non-parametric Confidence Intervals for the Area under the ROC Curve, Statistical Methods in Medical
    Research, 2008). If the area is 1 or 0 without some group, or no group deviates, the interval is Wilson's.

    Args:
        area: 0 to 1.
        without: its values, one for each group.
        strata: the stratum of each group.
    """
    if 0 < without.min() < without.max() < 1:
        spread = deviations(logit(without), strata)
        half = stats.t.ppf(0.975, degrees_of_freedom(spread, strata)) * np.sqrt((spread**2).sum())
        return {"low": float(expit(logit(area) - half)), "high": float(expit(logit(area) + half))}
    return jackknife_interval(area, without, strata, len(strata))


def confidence_intervals(
    truth: np.ndarray, probabilities: np.ndarray, groups: np.ndarray, datasets: np.ndarray
) -> dict[str, dict[str, float]]:
    """Return 95 % confidence intervals of accuracy, balanced accuracy, macro-F1 and macro AUROC.

    Args:
        truth: true classes, N integers from 0.
        probabilities: predicted probabilities, N×classes, 0 to 1.
        groups: a name or number of the group of each face, N.
        datasets: the data set of each face, N.

    Returns:
        `low` and `high`, 0 to 1, for each metric. Empty if there are fewer than MIN_GROUPS groups. Without AUROC if
        all faces are of one class.
    """
    members = np.unique(groups, return_inverse=True)[1]
    if members.max() + 1 < MIN_GROUPS:
        return {}
    strata = group_strata(datasets, members)
    counts = group_confusions(truth, probabilities.argmax(1), members, probabilities.shape[1])
    values, without = confusion_metrics(counts.sum(0)), without_each(counts)
    intervals = {
        name: jackknife_interval(float(values[name]), without[name], strata, len(strata))
        for name in ("accuracy", "balanced_accuracy", "macro_f1")
    }
    if len(np.unique(truth)) > 1:
        intervals["auroc"] = area_interval(*_auroc_without_each(truth, probabilities, members), strata)
    return intervals


def f1_intervals(
    truth: np.ndarray, probabilities: np.ndarray, groups: np.ndarray, datasets: np.ndarray
) -> dict[int, dict[str, float]]:
    """Return the 95 % confidence interval of the F1 of each class that at least MIN_GROUPS groups have.

    Arguments are those of `confidence_intervals`.
    """
    members = np.unique(groups, return_inverse=True)[1]
    if members.max() + 1 < MIN_GROUPS:
        return {}
    strata = group_strata(datasets, members)
    counts = group_confusions(truth, probabilities.argmax(1), members, probabilities.shape[1])
    values, without = confusion_metrics(counts.sum(0))["f1"], without_each(counts)["f1"]
    groups_with = (counts.sum(2) > 0).sum(0)
    return {
        label: jackknife_interval(float(values[label]), without[:, label], strata, int(groups_with[label]))
        for label in np.flatnonzero(groups_with >= MIN_GROUPS).tolist()
    }


def _auroc_without_each(truth: np.ndarray, probabilities: np.ndarray, members: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the macro AUROC, and its values without each group in turn.

    The area under the curve is the share of pairs of a positive and a negative face in which the positive one has the
    higher probability; a tie counts half (Hanley and McNeil, The Meaning and Use of the Area under a ROC Curve,
    Radiology, 1982). A class whose only faces, or only others, are of the group that is left out keeps its area.

    Args:
        truth: true classes, N integers from 0, of at least two classes.
        probabilities: N×classes, 0 to 1.
        members: group numbers from 0, N.
    """
    areas, without = [], []
    for label in np.unique(truth):
        rank, positive = stats.rankdata(probabilities[:, label], "dense"), truth == label
        start = members * (len(truth) + 1)  # with it, the ranks of a group are above those of the groups before it
        won = np.empty(len(truth))  # pairs of this face that the positive face wins
        won[positive] = _below(rank[positive], rank[~positive])
        won[~positive] = positive.sum() - _below(rank[~positive], rank[positive])
        within = np.zeros(len(truth))  # those of two faces of one group
        others = (start + rank)[~positive]
        within[positive] = _below((start + rank)[positive], others) - _below(start[positive], others)
        positives, negatives = np.bincount(members, positive), np.bincount(members, ~positive)
        pairs = (positive.sum() - positives) * ((~positive).sum() - negatives)
        area = won[positive].sum() / (positive.sum() * (~positive).sum())
        rest = won[positive].sum() - np.bincount(members, won - within)
        areas.append(area)
        without.append(np.divide(rest, pairs, where=pairs > 0, out=np.full(len(pairs), area)))
    return float(np.mean(areas)), np.mean(without, 0)


def _below(ranks: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return how many of `others` are below each of `ranks`; equal ones count half."""
    others = np.sort(others)
    return (np.searchsorted(others, ranks) + np.searchsorted(others, ranks, "right")) / 2
