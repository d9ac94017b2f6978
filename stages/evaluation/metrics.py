"""Figures of merit of a classifier, those that a training is followed and judged by."""

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score
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


def auroc(truth: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """The area under the ROC curve of each class against the rest, 0 to 1, on average over those in `truth`.

    Empty where all faces are of one class: there is nothing to tell apart. `probabilities` is N×classes.
    """
    present = np.unique(truth)
    if len(present) < 2:
        return {}
    return {"auroc": float(np.mean([roc_auc_score(truth == label, probabilities[:, label]) for label in present]))}


def measure(logits: Tensor, targets: Tensor) -> dict[str, float]:
    """The mean cross-entropy of finite logits N×classes against N target classes, `scores`, and the macro AUROC."""
    logits, targets = logits.cpu().double(), targets.cpu()
    loss = functional.cross_entropy(logits, targets).item()
    truth = targets.numpy()
    return {"loss": loss, **scores(truth, logits.argmax(1).numpy()), **auroc(truth, logits.softmax(1).numpy())}
