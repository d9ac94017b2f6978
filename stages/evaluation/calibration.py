"""Whether probabilities mean what they say (Guo et al., On Calibration of Modern Neural Networks, 2017)."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

BINS = 15


def temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The number that logits N×classes are divided by for the least log loss against N true classes, .05 to 20."""

    def loss(log_temperature: float) -> float:
        return -log_softmax(logits / np.exp(log_temperature), axis=1)[np.arange(len(truth)), truth].mean()

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded").x))


def reliability(truth: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    """How often predictions are right that are made with about one probability: confidence, accuracy, faces.

    A row for each of `BINS` equal bins of the predicted class's probability that holds a face, with means over its
    faces; `truth` is N, `probabilities` N×classes.
    """
    confidence = probabilities.max(1)
    rows = pd.DataFrame({"confidence": confidence, "accuracy": probabilities.argmax(1) == truth, "faces": 1})
    bins = np.clip(np.ceil(confidence * BINS) - 1, 0, BINS - 1)  # a bin holds its upper end
    return rows.groupby(bins).agg({"confidence": "mean", "accuracy": "mean", "faces": "sum"}).reset_index(drop=True)


def calibration_error(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """The expected calibration error, 0 to 1: the mean gap between confidence and accuracy in `reliability`."""
    bins = reliability(truth, probabilities)
    return float(np.average((bins.confidence - bins.accuracy).abs(), weights=bins.faces))
