"""Metrics of a classifier on the test faces."""

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score


def classification_metrics(truth: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    """Return accuracy, balanced accuracy (mean recall) and macro-F1, each 0 to 1.

    The two means are over the classes that occur in `truth`, so that a data set without neutral faces does not lose
    points for a class that it cannot test.

    Args:
        truth: true classes, N.
        prediction: predicted classes, N.
    """
    options = {"labels": np.unique(truth), "average": "macro", "zero_division": 0}
    return {
        "accuracy": float(accuracy_score(truth, prediction)),
        "balanced_accuracy": float(recall_score(truth, prediction, **options)),
        "macro_f1": float(f1_score(truth, prediction, **options)),
    }


def macro_auroc(truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Return the macro AUROC, 0 to 1, under the key `auroc`.

    It is the mean area under the ROC curve of each class in `truth` against all others. The result is empty if all
    faces are of one class, because the area is not defined then.

    Args:
        truth: true classes, N integers from 0.
        probabilities: N×classes, 0 to 1.
    """
    present = np.unique(truth)
    if len(present) < 2:
        return {}
    return {"auroc": float(np.mean([roc_auc_score(truth == label, probabilities[:, label]) for label in present]))}
