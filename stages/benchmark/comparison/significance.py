"""Whether one model is better than another, or only looked so on these faces."""

import numpy as np
from scipy import stats


def p_value(differences: np.ndarray, count: int) -> float:
    """The two-sided p-value, 0 to 1, of no difference, by the draws of a difference over `count` groups.

    Both models are judged by the same draws of groups (the paired bootstrap: Koehn, Statistical Significance Tests for
    Machine Translation Evaluation, 2004; over groups: Field and Welsh, Bootstrapping Clustered Data, 2007). The p-value
    is the level at which the interval of `bootstrap.confidence_interval` just reaches 0, so that both always agree; the draws at
    hand are counted as one more (Davison and Hinkley, Bootstrap Methods and their Application, 1997).
    """
    beyond = min((differences <= 0).sum(), (differences >= 0).sum())
    share = min((1 + beyond) / (1 + len(differences)), 0.5)
    return float(2 * stats.t.cdf(stats.norm.ppf(share) * np.sqrt((count - 1) / count), count - 1))


def holm(p_values: list[float]) -> list[float]:
    """The p-values of several tests, corrected so that one false alarm among all is as rare as one test's.

    Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979.
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(factors * np.array(p_values)[order]), 1)
    return corrected.tolist()


def rank_shares(drawn: np.ndarray) -> np.ndarray:
    """The share of draws in which each model has each rank, models×ranks, by figures draws×models.

    Of models that are alike in a draw each has the best of their ranks.
    """
    ranks = stats.rankdata(-drawn, method="min", axis=1).astype(int)
    return np.stack([(ranks == rank).mean(0) for rank in range(1, drawn.shape[1] + 1)], axis=1)
