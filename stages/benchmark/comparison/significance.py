"""Statistical significance of the difference between models."""

import numpy as np
from scipy import stats


def p_value(differences: np.ndarray, groups: int) -> float:
    """Return the two-sided p-value, 0 to 1, of the hypothesis that two models do not differ.

    The paired bootstrap resamples groups of faces, the same ones for both models (Koehn, Statistical Significance
    Tests for Machine Translation Evaluation, 2004; Field and Welsh, Bootstrapping Clustered Data, 2007). The p-value is
    the level at which the interval of `bootstrap.confidence_interval` just reaches 0, so that both always agree. The
    observed data count as one more resample (Davison and Hinkley, Bootstrap Methods and their Application, 1997).

    Args:
        differences: the difference of a metric in each resample.
        groups: the number of groups.
    """
    beyond = min((differences <= 0).sum(), (differences >= 0).sum())
    share = min((1 + beyond) / (1 + len(differences)), 0.5)
    return float(2 * stats.t.cdf(stats.norm.ppf(share) * np.sqrt((groups - 1) / groups), groups - 1))


def holm(p_values: list[float]) -> list[float]:
    """Return p-values corrected for multiple tests (Holm, A Simple Sequentially Rejective Procedure, 1979).

    With them, the probability of one false positive among all tests is at most the nominal level.
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(factors * np.array(p_values)[order]), 1)
    return corrected.tolist()


def rank_shares(resampled: np.ndarray) -> np.ndarray:
    """Return the share of resamples, 0 to 1, in which each model has each rank: models×ranks.

    Args:
        resampled: a metric, resamples×models. Models with equal values share the better rank.
    """
    ranks = stats.rankdata(-resampled, method="min", axis=1).astype(int)
    return np.stack([(ranks == rank).mean(0) for rank in range(1, resampled.shape[1] + 1)], axis=1)
