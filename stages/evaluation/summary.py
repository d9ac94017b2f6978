"""The content of metrics.json: metrics overall, per class, per data set, and of the coarse task."""

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.metrics import (
    cohen_kappa_score,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
    top_k_accuracy_score,
)

from stages.base.rounding import rounded
from stages.evaluation.calibration import calibration_error, calibration_floor
from stages.evaluation.intervals import confidence_intervals, f1_intervals, warning
from stages.evaluation.metrics import classification_metrics, macro_auroc

COARSE = {
    "positive": {"happy"},
    "neutral": {"neutral"},
    "negative": {"anger", "disgust", "fear", "sadness", "contempt"},
}


def detailed_metrics(rows: pd.DataFrame, logits: np.ndarray, temperature: float, labels: list[str]) -> dict:
    """Return metrics overall, per class, per data set and of the coarse task, with intervals, to six decimals.

    Args:
        rows: the faces, as `tables.prediction_table` returns them, N rows.
        logits: finite, N×labels.
        temperature: divides the logits for the calibrated log loss and calibration error.
        labels: the names of the classes.
    """
    truth, probabilities = _class_numbers(rows, labels), softmax(logits, axis=1)
    calibrated = softmax(logits / temperature, axis=1)
    metrics = {**_group_metrics(rows, truth, probabilities), **overall_metrics(truth, logits, temperature)}
    metrics["coarse"] = coarse_metrics(rows.label.to_numpy(), probabilities, labels)
    metrics["per_class"] = per_class_metrics(truth, probabilities, labels)
    groups = rows.groupby("label").group.nunique()
    intervals = f1_intervals(truth, probabilities, rows.group.to_numpy(), rows.dataset.to_numpy())
    for number, (label, row) in enumerate(metrics["per_class"].items()):
        row["groups"] = int(groups.get(label, 0))
        if number in intervals:
            row |= {"interval": {"f1": intervals[number]}, **warning(row["groups"])}
    metrics["per_dataset"] = {
        dataset: {
            **_group_metrics(rows.iloc[at], truth[at], probabilities[at]),
            **classification_metrics(truth[at], probabilities[at].argmax(1)),
            **macro_auroc(truth[at], probabilities[at]),
            **_calibration_metrics(truth[at], probabilities[at]),
            "calibrated": _calibration_metrics(truth[at], calibrated[at]),
        }
        for dataset, at in rows.groupby("dataset").indices.items()
    }
    return rounded(metrics)


def basic_metrics(rows: pd.DataFrame, logits: np.ndarray, temperature: float, labels: list[str]) -> dict:
    """Return metrics overall and per data set, without intervals, to six decimals.

    Arguments are those of `detailed_metrics`.
    """
    truth = _class_numbers(rows, labels)
    metrics = {"faces": len(rows), **overall_metrics(truth, logits, temperature)}
    metrics["per_dataset"] = {
        dataset: {"faces": len(at), **classification_metrics(truth[at], logits[at].argmax(1))}
        for dataset, at in rows.groupby("dataset").indices.items()
    }
    return rounded(metrics)


def overall_metrics(truth: np.ndarray, logits: np.ndarray, temperature: float) -> dict:
    """Return the metrics of all faces together.

    Args:
        truth: true classes, N integers from 0.
        logits: finite, N×classes, for two classes or more.
        temperature: divides the logits for the metrics under `calibrated`.

    Returns:
        Accuracy, balanced accuracy, macro and weighted F1, AUROC, top-2 accuracy, Cohen's kappa (-1 to 1), log loss
        (0 or more), expected calibration error and its floor; where no range is given, 0 to 1. Without AUROC and kappa
        if all faces are of one class, because they are not defined then.
    """
    probabilities = softmax(logits, axis=1)
    classes = np.arange(probabilities.shape[1])
    prediction = probabilities.argmax(1)
    metrics: dict = dict(classification_metrics(truth, prediction))
    metrics["weighted_f1"] = f1_score(truth, prediction, average="weighted", zero_division=0)
    metrics |= macro_auroc(truth, probabilities)
    metrics["top2"] = _top2_accuracy(truth, probabilities)
    if len(np.unique(truth)) > 1:
        metrics["kappa"] = cohen_kappa_score(truth, prediction)
    metrics |= _probability_metrics(truth, probabilities, classes)
    metrics["calibrated"] = _probability_metrics(truth, softmax(logits / temperature, axis=1), classes)
    return metrics


def coarse_metrics(true_labels: np.ndarray, probabilities: np.ndarray, labels: list[str]) -> dict:
    """Return `classification_metrics` and `faces` of the coarse task: positive, neutral or negative.

    The probability of a coarse class is the sum over its labels. Surprise can be positive or negative, so faces with
    that label are left out, and so is its probability.

    Args:
        true_labels: the label of each face, N.
        probabilities: N×labels, 0 to 1.
        labels: the names of the classes.

    Returns:
        The metrics; empty if `labels` cover fewer than two coarse classes, or no face has one of them.
    """
    names = [name for name, members in COARSE.items() if members & set(labels)]
    sums = np.stack([probabilities[:, [label in COARSE[name] for label in labels]].sum(1) for name in names], 1)
    numbers = {label: number for number, name in enumerate(names) for label in COARSE[name]}
    truth = np.array([numbers.get(label, -1) for label in true_labels])
    counted = truth >= 0
    if len(names) < 2 or not counted.any():
        return {}
    return {"faces": int(counted.sum()), **classification_metrics(truth[counted], sums[counted].argmax(1))}


def per_class_metrics(truth: np.ndarray, probabilities: np.ndarray, labels: list[str]) -> dict[str, dict]:
    """Return precision, recall, F1, AUROC and the number of faces of each class.

    Args:
        truth: true classes as positions in `labels`, N.
        probabilities: N×labels, 0 to 1.
        labels: the names of the classes.

    Returns:
        The metrics by label, 0 to 1; without AUROC if no face, or every face, is of the class.
    """
    prediction = probabilities.argmax(1)
    columns = precision_recall_fscore_support(truth, prediction, labels=range(len(labels)), zero_division=0)
    metrics = {}
    for number, (label, *values) in enumerate(zip(labels, *columns, strict=True)):
        names = ("precision", "recall", "f1", "faces")
        metrics[label] = {name: value.item() for name, value in zip(names, values, strict=True)}
        if 0 < (truth == number).sum() < len(truth):
            metrics[label]["auroc"] = roc_auc_score(truth == number, probabilities[:, number])
    return metrics


def _class_numbers(rows: pd.DataFrame, labels: list[str]) -> np.ndarray:
    return pd.Index(labels).get_indexer(rows.label)


def _top2_accuracy(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the share of faces whose true class is one of the two most probable."""
    classes = probabilities.shape[1]
    return 1.0 if classes == 2 else top_k_accuracy_score(truth, probabilities, k=2, labels=range(classes))


def _group_metrics(rows: pd.DataFrame, truth: np.ndarray, probabilities: np.ndarray) -> dict:
    """Return the numbers of faces and groups, and the intervals with a warning if they are from few groups."""
    groups = rows.group.nunique()
    intervals = confidence_intervals(truth, probabilities, rows.group.to_numpy(), rows.dataset.to_numpy())
    return {"faces": len(rows), "groups": groups, "interval": intervals, **warning(groups)}


def _probability_metrics(truth: np.ndarray, probabilities: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    return {
        "log_loss": log_loss(truth, probabilities, labels=classes),
        **_calibration_metrics(truth, probabilities),
    }


def _calibration_metrics(truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    return {"ece": calibration_error(truth, probabilities), "ece_floor": calibration_floor(probabilities)}
