"""How much a metric of several models, and its differences between them, vary with groups of faces and with training.

Runs of one fold differ in their seed only. What their differences have in common over groups of faces is added to the
variance between groups, which contains the rest: the variance of two-way clustered data (Cameron, Gelbach and Miller,
Robust Inference with Multiway Clustering, Journal of Business & Economic Statistics, 2011). Each part has degrees of
freedom of its own, which are combined by Satterthwaite's formula (An Approximate Distribution of Estimates of Variance
Components, Biometrics, 1946).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stages.benchmark.comparison.significance import difference_interval
from stages.evaluation.intervals import (
    confusion_metrics,
    degrees_of_freedom,
    deviations,
    wilson_interval,
    without_each,
)

METRICS = ("macro_f1", "accuracy")


@dataclass(frozen=True)
class Variation:
    """One metric of several models on the same faces, and how much it varies.

    Attributes:
        values: the metric of each model, 0 to 1.
        groups: the deviation of each group, groups×models. The squares of a column sum to the variance between groups.
        strata: the stratum of each group.
        runs: for each model an estimate of the variance by training that the groups of a run share. It can be
            negative, and counts as 0 then.
        run_df: degrees of freedom of `runs` of one model: folds times seeds less one.
    """

    values: np.ndarray
    groups: np.ndarray
    strata: np.ndarray
    runs: np.ndarray
    run_df: int

    def covariance(self) -> np.ndarray:
        """Return the covariance of the metric between models, models×models."""
        return self.groups.T @ self.groups + np.diag(np.maximum(self.runs, 0))

    def interval(self, model: int) -> dict[str, float]:
        """Return the 95 % confidence interval of the model at this position, as `low` and `high`."""
        groups = self.groups[:, model]
        variance, df = _total(groups, degrees_of_freedom(groups, self.strata), self.runs[model], self.run_df)
        return wilson_interval(float(self.values[model]), variance, df, len(groups))

    def difference(self, better: int, worse: int) -> dict[str, float]:
        """Return the interval and the p-value of the difference of two models, as `difference_interval` does.

        If the models are equally good, the differences of groups are as often positive as negative, so the variance
        between groups has as many degrees of freedom as it can have, groups minus strata.
        """
        groups = self.groups[:, better] - self.groups[:, worse]
        most = len(groups) - len(np.unique(self.strata))
        variance, df = _total(groups, most, self.runs[better] + self.runs[worse], 2 * self.run_df)
        return difference_interval(float(self.values[better] - self.values[worse]), variance, df, len(groups))


def variations(counts: list[np.ndarray], strata: np.ndarray, folds: np.ndarray) -> dict[str, Variation]:
    """Return each of METRICS of several models, and how much it varies.

    Args:
        counts: for each model the confusion matrices by group and seed, groups×seeds×labels×labels.
        strata: the stratum of each group.
        folds: the fold of each group; its faces are predicted by the runs of this fold.
    """
    whole = [confusion_metrics(cells.sum((0, 1))) for cells in counts]
    without = [without_each(cells.sum(1)) for cells in counts]
    runs = [_shared_by_runs(cells, folds) for cells in counts]
    return {
        name: Variation(
            np.array([metrics[name] for metrics in whole]),
            np.stack([deviations(metrics[name], strata) for metrics in without], 1),
            strata,
            np.array([variance[name] for variance in runs]),
            len(np.unique(folds)) * (counts[0].shape[1] - 1),
        )
        for name in METRICS
    }


def _shared_by_runs(counts: np.ndarray, folds: np.ndarray) -> dict[str, float]:
    """Return, by metric, the variance by training that the groups of a run share; 0 for one seed.

    It is the variance over seeds of the contribution of each fold, less that of the contribution of each group.
    """
    groups, seeds = counts.shape[:2]
    if seeds == 1:
        return dict.fromkeys(METRICS, 0.0)
    without = without_each(counts.reshape(groups * seeds, *counts.shape[2:]))
    variances = {}
    for name in METRICS:
        contributions = pd.DataFrame(-without[name].reshape(groups, seeds))  # up to a constant
        by_fold = contributions.groupby(folds).sum()
        variances[name] = seeds * float(by_fold.var(axis=1).sum() - contributions.var(axis=1).sum())
    return variances


def _total(groups: np.ndarray, df: float, runs: float, run_df: int) -> tuple[float, float]:
    """Return the variance by groups and runs, and its degrees of freedom."""
    between = float((groups**2).sum())
    if runs <= 0:
        return between, df
    return between + runs, (between + runs) ** 2 / (between**2 / df + runs**2 / run_df)
