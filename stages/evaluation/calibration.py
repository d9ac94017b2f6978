"""Calibration of predicted probabilities (Guo et al., On Calibration of Modern Neural Networks, ICML 2017)."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

BINS = 15
DRAWS = 400  # of labels, for the floor of the calibration error


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """Return the temperature, 0.05 to 20, that minimises the log loss of `logits / temperature`.

    Args:
        logits: N×classes.
        truth: true classes, N integers from 0.
    """

    def loss(log_temperature: float) -> float:
        return -log_softmax(logits / np.exp(log_temperature), axis=1)[np.arange(len(truth)), truth].mean()

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded").x))


def reliability_bins(truth: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    """Return confidence and accuracy in each of BINS equal bins of the predicted class's probability.

    Args:
        truth: true classes, N integers from 0.
        probabilities: N×classes, 0 to 1.

    Returns:
        A row for each bin that is not empty: mean confidence, accuracy, and the number of faces.
    """
    confidence = probabilities.max(1)
    rows = pd.DataFrame({"confidence": confidence, "accuracy": probabilities.argmax(1) == truth, "faces": 1})
    return (
        rows.groupby(_bins(confidence))
        .agg({"confidence": "mean", "accuracy": "mean", "faces": "sum"})
        .reset_index(drop=True)
    )


def calibration_error(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the expected calibration error, 0 to 1.

    It is the mean difference between confidence and accuracy over `reliability_bins`, weighted by their faces.
    """
    bins = reliability_bins(truth, probabilities)
    return float(np.average((bins.confidence - bins.accuracy).abs(), weights=bins.faces))


def calibration_floor(probabilities: np.ndarray) -> float:
    """Return the expected calibration error, 0 to 1, that a perfectly calibrated model would have on average.

    The error is above 0 even then, because accuracies of bins with few faces vary by chance. The labels of DRAWS test
    sets are drawn by the probabilities themselves. Faces are drawn independently of each other; where those of a group
    are alike, the error varies more, and the floor is higher.

    Args:
        probabilities: N×classes, 0 to 1.
    """
    confidence = probabilities.max(1)
    bins, rng = _bins(confidence), np.random.default_rng(0)
    gaps = [np.bincount(bins, (rng.random(len(bins)) < confidence) - confidence) for _ in range(DRAWS)]
    return float(np.abs(gaps).sum(1).mean() / len(bins))


def _bins(confidence: np.ndarray) -> np.ndarray:
    """Return the number of each confidence's bin, from 0; a bin includes its upper bound."""
    return np.clip(np.ceil(confidence * BINS) - 1, 0, BINS - 1).astype(int)
