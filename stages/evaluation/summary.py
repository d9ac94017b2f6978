"""All that is told of a model in numbers: overall, per class, per data set, and on the coarse task."""

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

from stages.evaluation.bootstrap import intervals
from stages.evaluation.calibration import calibration_error
from stages.evaluation.metrics import auroc, scores

COARSE = {
    "positive": {"happy"},
    "neutral": {"neutral"},
    "negative": {"anger", "disgust", "fear", "sadness", "contempt"},
}


def figures(rows: pd.DataFrame, logits: np.ndarray, temperature: float, labels: list[str]) -> dict:
    """The figures of `tables.predictions` and their N×labels logits, with intervals; to six decimals.

    `temperature` is what the logits are divided by for the calibrated log loss and calibration error.
    """
    truth, probabilities = _classes(rows, labels), softmax(logits, axis=1)
    groups = rows.group.to_numpy()
    found = {"faces": len(rows), "groups": rows.group.nunique(), **overall(truth, logits, temperature)}
    found["interval"] = intervals(truth, probabilities, groups)
    found["coarse"] = coarse(rows.label.to_numpy(), probabilities, labels)
    found["per_class"] = per_class(truth, probabilities, labels)
    found["per_dataset"] = {
        dataset: {
            "faces": len(at),
            "groups": rows.group.iloc[at].nunique(),
            **scores(truth[at], probabilities[at].argmax(1)),
            **auroc(truth[at], probabilities[at]),
            "interval": (
                intervals(truth[at], probabilities[at], groups[at]) if len(at) < len(rows) else found["interval"]
            ),
        }
        for dataset, at in rows.groupby("dataset").indices.items()
    }
    return _told(found)


def validation(rows: pd.DataFrame, logits: np.ndarray, temperature: float, labels: list[str]) -> dict:
    """The overall figures of `figures`, without intervals."""
    return _told({"faces": len(rows), **overall(_classes(rows, labels), logits, temperature)})


def overall(truth: np.ndarray, logits: np.ndarray, temperature: float) -> dict:
    """Figures of finite logits N×classes, two classes or more, against N true classes, all in [0, 1] but log loss.

    AUROC and Cohen's kappa are left out where all faces are of one class: there is no chance to be compared with.
    """
    probabilities = softmax(logits, axis=1)
    classes = np.arange(probabilities.shape[1])
    prediction = probabilities.argmax(1)
    found = scores(truth, prediction)
    found["weighted_f1"] = f1_score(truth, prediction, average="weighted", zero_division=0)
    found |= auroc(truth, probabilities)
    found["top2"] = _top2(truth, probabilities)
    if len(np.unique(truth)) > 1:
        found["kappa"] = cohen_kappa_score(truth, prediction)
    found |= _honesty(truth, probabilities, classes)
    found["calibrated"] = _honesty(truth, softmax(logits / temperature, axis=1), classes)
    return found


def coarse(labels_of_faces: np.ndarray, probabilities: np.ndarray, labels: list[str]) -> dict:
    """`scores` of the coarse task: positive, neutral or negative, by the summed probabilities of their labels.

    Surprise is of neither kind: faces so labelled do not count, and its probability is left out. Empty where fewer
    than two of the three can be told apart.
    """
    names = [name for name, members in COARSE.items() if members & set(labels)]
    sums = np.stack([probabilities[:, [label in COARSE[name] for label in labels]].sum(1) for name in names], 1)
    kind = {label: place for place, name in enumerate(names) for label in COARSE[name]}
    truth = np.array([kind.get(label, -1) for label in labels_of_faces])
    counted = truth >= 0
    if len(names) < 2 or not counted.any():
        return {}
    return {"faces": int(counted.sum()), **scores(truth[counted], sums[counted].argmax(1))}


def per_class(truth: np.ndarray, probabilities: np.ndarray, labels: list[str]) -> dict[str, dict]:
    """Precision, recall, F1, AUROC against the rest, and the number of true faces, of each label.

    `truth` holds positions in `labels`. The AUROC is left out where there are no such faces, or no others.
    """
    prediction = probabilities.argmax(1)
    columns = precision_recall_fscore_support(truth, prediction, labels=range(len(labels)), zero_division=0)
    found = {}
    for number, (label, *row) in enumerate(zip(labels, *columns)):
        found[label] = dict(zip(("precision", "recall", "f1", "faces"), (value.item() for value in row)))
        if 0 < (truth == number).sum() < len(truth):
            found[label]["auroc"] = roc_auc_score(truth == number, probabilities[:, number])
    return found


def _classes(rows: pd.DataFrame, labels: list[str]) -> np.ndarray:
    return pd.Index(labels).get_indexer(rows.label)


def _top2(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """How often the true class is one of the two most probable."""
    classes = probabilities.shape[1]
    return 1.0 if classes == 2 else top_k_accuracy_score(truth, probabilities, k=2, labels=range(classes))


def _honesty(truth: np.ndarray, probabilities: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    return {"log_loss": log_loss(truth, probabilities, labels=classes), "ece": calibration_error(truth, probabilities)}


def _told(found: dict) -> dict:
    """Plain numbers to six decimals; what is empty is left out."""
    return {
        name: _told(value) if isinstance(value, dict) else round(float(value), 6) if isinstance(value, float) else value
        for name, value in found.items()
        if value != {}
    }
