"""The metrics of an epoch. They are scikit-learn's (see `stages.evaluation.metrics`), computed on the device.

Moving the outputs to the host and scikit-learn's AUROC would take longer than a GPU takes for the epoch.
"""

import torch
from torch import Tensor
from torch.nn import functional


def epoch_metrics(logits: Tensor, targets: Tensor) -> dict[str, float]:
    """Return loss, accuracy, balanced accuracy, macro-F1 and macro AUROC.

    Means over classes are over those that occur in `targets`. If there is only one, AUROC is left out.

    Args:
        logits: finite, N×classes.
        targets: true classes, int64, N, on the same device.
    """
    if logits.device.type == "mps":  # has no float64
        logits, targets = logits.cpu(), targets.cpu()
    logits, classes = logits.double(), logits.shape[1]
    loss = functional.cross_entropy(logits, targets).item()
    pairs = targets * classes + logits.argmax(1)
    confusion = pairs.bincount(minlength=classes**2).view(classes, classes).double()
    actual, predicted, right = confusion.sum(1), confusion.sum(0), confusion.diagonal()
    present = actual > 0
    recall, f1 = right[present] / actual[present], 2 * right[present] / (actual + predicted)[present]
    means = [right.sum() / len(targets), recall.mean(), f1.mean()]
    names = ["accuracy", "balanced_accuracy", "macro_f1"]
    metrics = {"loss": loss} | dict(zip(names, torch.stack(means).tolist(), strict=True))
    counts = [int(count) for count in actual.tolist()]
    if max(counts) < len(targets):
        metrics["auroc"] = _macro_auroc(logits.softmax(1), targets, counts)
    return metrics


def _macro_auroc(probabilities: Tensor, targets: Tensor, counts: list[int]) -> float:
    """Return the mean over the classes of the area under the ROC curve of each class against all others.

    The area is the share of pairs of a face of the class and another face in which the first one has the higher
    probability; equal ones count half (Hanley and McNeil, Radiology 143, 1982).

    Args:
        probabilities: N×classes.
        targets: true classes, N.
        counts: number of faces of each class, of which two or more are above 0.
    """
    order = targets.argsort(stable=True)
    own = probabilities[order, targets[order]].split(counts)  # of each class: what its faces have for it
    areas = []
    for values, column in zip(own, probabilities.T.contiguous().sort(1).values, strict=True):
        if len(values):
            values = values.sort().values  # searched faster in order
            lower, not_higher = (torch.searchsorted(column, values, right=right) for right in (False, True))
            positive, negative = len(values), len(targets) - len(values)
            # Ranks of these faces among all, less the ranks among themselves: the pairs with faces of other classes.
            won = (lower + not_higher + 1).double().sum() / 2 - positive * (positive + 1) / 2
            areas.append(won / (positive * negative))
    return torch.stack(areas).mean().item()
