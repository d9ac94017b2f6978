"""Statistical significance of the difference between models."""

import numpy as np
from scipy import stats

from stages.evaluation.intervals import NEGLIGIBLE

DRAWS = 10_000


def difference_interval(difference: float, variance: float, df: float, groups: int) -> dict[str, float]:
    """Return the 95 % confidence interval of a difference and the two-sided p-value of the hypothesis that it is 0.

    Both are from Student's t distribution and always agree. If no group tells the models apart, p is 1, and the
    interval is as far as Wilson's for a share of 0 in as many observations as there are groups.

    Args:
        difference: the difference of a metric between two models, -1 to 1.
        variance: its variance.
        df: degrees of freedom of the variance.
        groups: the number of groups.

    Returns:
        `low`, `high` and `p`.
    """
    quantile = stats.t.ppf(0.975, df)
    if variance <= NEGLIGIBLE:
        half, p = quantile**2 / (groups + quantile**2), 1.0
    else:
        half = quantile * np.sqrt(variance)
        p = 2 * stats.t.sf(abs(difference) / np.sqrt(variance), df)
    return {"low": float(difference - half), "high": float(difference + half), "p": float(p)}


def holm(p_values: list[float]) -> list[float]:
    """Return p-values corrected for multiple tests (Holm, A Simple Sequentially Rejective Procedure, 1979).

    With them, the probability of one false positive among all tests is at most the nominal level.
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(factors * np.array(p_values)[order]), 1)
    return corrected.tolist()


def rank_shares(values: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return how often each model has each rank if the metric varies around the observed values: models×ranks.

    The shares, 0 to 1, are of DRAWS draws from a normal distribution. They show how stable the ranking is. They are not
    the probabilities that a model is best: the observed values, around which they are drawn, favour the model that was
    lucky.

    Args:
        values: the metric of each model. Models with equal values in a draw share the better rank.
        covariance: its covariance between models, models×models.
    """
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_normal(values, covariance, DRAWS, method="eigh", check_valid="ignore").round(6)
    ranks = stats.rankdata(-drawn, method="min", axis=1).astype(int)
    return np.stack([(ranks == rank).mean(0) for rank in range(1, len(values) + 1)], axis=1)
