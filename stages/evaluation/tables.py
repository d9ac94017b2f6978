"""What is told of a model put to the test in tables: a row a face, and what DVC and the report plot."""

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from stages.base.errors import InputError
from stages.evaluation.calibration import reliability
from stages.evaluation.summary import per_class

POINTS = 200  # of a curve, at most
BINS = 20


def predictions(faces: pd.DataFrame, logits: np.ndarray, labels: list[str]) -> pd.DataFrame:
    """A row a face: id, dataset, file, label, group, prediction, and a column per label with its probability.

    `faces` has the first five columns, `logits` is N×labels. Raises InputError where a face's label is not in
    `labels`, or a logit is not a finite number.
    """
    if unknown := sorted(set(faces.label) - set(labels)):
        raise InputError(f"the model was not trained on {unknown[0]!r}, which a face has as label; train it again")
    if not np.isfinite(logits).all():
        raise InputError("the model gives NaN or infinity for some faces; train it again, with a lower train.lr")
    rows = faces[["id", "dataset", "file", "label", "group"]].reset_index(drop=True)
    rows["prediction"] = [labels[best] for best in logits.argmax(1)]
    return rows.join(pd.DataFrame(softmax(logits, axis=1), columns=labels))


def tables(rows: pd.DataFrame, logits: np.ndarray, temperature: float, labels: list[str]) -> dict[str, pd.DataFrame]:
    """What is plotted of `predictions` and their logits, by name; shares and probabilities are 0 to 1.

    confusion: label, prediction, faces, and these as shares of the label (recall) and of the prediction (precision).
    roc: label, fpr, tpr. precision_recall: label, recall, precision. reliability: probabilities (raw, calibrated),
    confidence, accuracy, faces. per_class: label, precision, recall, f1, faces. probabilities: outcome (right, wrong),
    probability of the prediction (the middle of a bin), faces.
    """
    truth, raw = pd.Index(labels).get_indexer(rows.label), softmax(logits, axis=1)
    calibrated = softmax(logits / temperature, axis=1)
    bars = pd.DataFrame.from_dict(per_class(truth, raw, labels), orient="index").rename_axis("label").reset_index()
    return {
        "confusion": _confusion(rows, labels),
        "roc": _curves(truth, raw, labels, _roc),
        "precision_recall": _curves(truth, raw, labels, _precision_recall),
        "reliability": pd.concat(
            [
                reliability(truth, shares).assign(probabilities=name)[
                    ["probabilities", "confidence", "accuracy", "faces"]
                ]
                for name, shares in (("raw", raw), ("calibrated", calibrated))
            ]
        ),
        "per_class": bars[["label", "precision", "recall", "f1", "faces"]],
        "probabilities": _probabilities(truth, raw),
    }


def _confusion(rows: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """Every pair of labels, in order; a share of nothing is 0."""
    faces = confusion_matrix(rows.label, rows.prediction, labels=labels)
    table = pd.MultiIndex.from_product([labels, labels], names=["label", "prediction"]).to_frame(index=False)
    recall, precision = (faces / np.maximum(faces.sum(axis, keepdims=True), 1) for axis in (1, 0))
    return table.assign(faces=faces.ravel(), recall=recall.ravel(), precision=precision.ravel())


def _curves(truth: np.ndarray, probabilities: np.ndarray, labels: list[str], curve) -> pd.DataFrame:
    """The curve of each label against the rest, where there are both."""
    found = [
        curve(truth == number, probabilities[:, number]).assign(label=label)
        for number, label in enumerate(labels)
        if 0 < (truth == number).sum() < len(truth)
    ]
    table = pd.concat(found) if found else curve(np.array([True, False]), np.array([1, 0])).assign(label="")[:0]
    return table[["label", *table.columns.drop("label")]]


def _roc(positive: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    fpr, tpr, _ = roc_curve(positive, probability)
    return _thinned(pd.DataFrame({"fpr": fpr, "tpr": tpr}))


def _precision_recall(positive: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    precision, recall, _ = precision_recall_curve(positive, probability)
    return _thinned(pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]}))


def _thinned(curve: pd.DataFrame) -> pd.DataFrame:
    return curve.iloc[np.unique(np.linspace(0, len(curve) - 1, POINTS).round().astype(int))]


def _probabilities(truth: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    edges = np.linspace(0, 1, BINS + 1)
    right = probabilities.argmax(1) == truth
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "outcome": outcome,
                    "probability": (edges[:-1] + edges[1:]) / 2,
                    "faces": np.histogram(probabilities.max(1)[at], edges)[0],
                }
            )
            for outcome, at in (("right", right), ("wrong", ~right))
        ]
    )
