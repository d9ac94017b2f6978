"""Figures of merit of a classifier."""

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support, recall_score
from torch import Tensor
from torch.nn import functional


def scores(truth: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    """Accuracy, balanced accuracy (mean recall) and macro-F1, each 0 to 1, of N true and N predicted classes.

    The two means are over the classes that occur in `truth`, so that a data set without neutral faces
    is not marked down for having none.
    """
    mean = {"labels": np.unique(truth), "average": "macro", "zero_division": 0}
    return {
        "accuracy": float(accuracy_score(truth, prediction)),
        "balanced_accuracy": float(recall_score(truth, prediction, **mean)),
        "macro_f1": float(f1_score(truth, prediction, **mean)),
    }


def measure(logits: Tensor, targets: Tensor) -> dict[str, float]:
    """The mean cross-entropy of logits N×classes against N target classes, and `scores` of the likeliest classes."""
    loss = functional.cross_entropy(logits.double(), targets).item()
    return {"loss": loss, **scores(targets.cpu().numpy(), logits.argmax(1).cpu().numpy())}


def per_class(truth: np.ndarray, prediction: np.ndarray, labels: list[str]) -> dict[str, dict]:
    """Precision, recall, F1 and the number of true faces of each label; classes are positions in `labels`."""
    columns = precision_recall_fscore_support(truth, prediction, labels=range(len(labels)), zero_division=0)
    names = ("precision", "recall", "f1", "faces")
    return {label: dict(zip(names, (v.item() for v in row))) for label, *row in zip(labels, *columns)}
