"""Tables of an evaluation: predictions with a row for each face, and the tables that DVC and the report plot."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from stages.base.atomic import atomic_output
from stages.base.errors import InputError
from stages.evaluation.calibration import reliability_bins
from stages.evaluation.summary import per_class_metrics

MAX_CURVE_POINTS = 200
HISTOGRAM_BINS = 20


def prediction_table(faces: pd.DataFrame, logits: np.ndarray, labels: list[str]) -> pd.DataFrame:
    """Return the prediction and the probabilities of each face.

    Args:
        faces: N rows with the columns id, dataset, file, label and group.
        logits: N×labels.
        labels: the names of the classes.

    Returns:
        Those columns, `prediction`, and a column for each label with its probability, 0 to 1.

    Raises:
        InputError: a face has a label that is not in `labels`, or a logit is not finite.
    """
    if unknown := sorted(set(faces.label) - set(labels)):
        raise InputError(
            f"the model was not trained on the label {unknown[0]!r}, which some faces have; train it again"
        )
    if not np.isfinite(logits).all():
        raise InputError("the model returns NaN or infinity for some faces; train it again with a lower train.lr")
    rows = faces[["id", "dataset", "file", "label", "group"]].reset_index(drop=True)
    rows["prediction"] = [labels[best] for best in logits.argmax(1)]
    return rows.join(pd.DataFrame(softmax(logits, axis=1), columns=labels))


def plot_tables(
    rows: pd.DataFrame, logits: np.ndarray, temperature: float, labels: list[str]
) -> dict[str, pd.DataFrame]:
    """Return the tables to plot.

    Args:
        rows: the faces, as `prediction_table` returns them, N rows.
        logits: N×labels.
        temperature: divides the logits for the calibrated probabilities.
        labels: the names of the classes.

    Returns:
        Tables by name; shares and probabilities are 0 to 1.

        - confusion: label, prediction, faces, recall (share of the label) and precision (share of the prediction).
        - roc: label, fpr, tpr.
        - precision_recall: label, recall, precision.
        - reliability: probabilities (raw, calibrated), confidence, accuracy, faces.
        - per_class: label, precision, recall, f1, faces.
        - probabilities: outcome (right, wrong), probability of the predicted class (middle of a bin), faces.
    """
    truth, raw = pd.Index(labels).get_indexer(rows.label), softmax(logits, axis=1)
    calibrated = softmax(logits / temperature, axis=1)
    per_class = pd.DataFrame.from_dict(per_class_metrics(truth, raw, labels), orient="index")
    per_class = per_class.rename_axis("label").reset_index()
    return {
        "confusion": _confusion(rows, labels),
        "roc": _curves(truth, raw, labels, _roc),
        "precision_recall": _curves(truth, raw, labels, _precision_recall),
        "reliability": pd.concat(
            [
                reliability_bins(truth, shares).assign(probabilities=name)[
                    ["probabilities", "confidence", "accuracy", "faces"]
                ]
                for name, shares in (("raw", raw), ("calibrated", calibrated))
            ]
        ),
        "per_class": per_class[["label", "precision", "recall", "f1", "faces"]],
        "probabilities": _histograms(truth, raw),
    }


def write_tables(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write each table into a new folder as `<name>.csv`, with shares to six decimals."""
    with atomic_output(folder) as temporary:
        temporary.mkdir()
        for name, table in tables.items():
            table.to_csv(temporary / f"{name}.csv", index=False, float_format="%.6f", lineterminator="\n")


def _confusion(rows: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """Return every pair of labels in order; shares of an empty row or column are 0."""
    faces = confusion_matrix(rows.label, rows.prediction, labels=labels)
    table = pd.MultiIndex.from_product([labels, labels], names=["label", "prediction"]).to_frame(index=False)
    recall, precision = (faces / np.maximum(faces.sum(axis, keepdims=True), 1) for axis in (1, 0))
    return table.assign(faces=faces.ravel(), recall=recall.ravel(), precision=precision.ravel())


def _curves(
    truth: np.ndarray,
    probabilities: np.ndarray,
    labels: list[str],
    curve: Callable[[np.ndarray, np.ndarray], pd.DataFrame],
) -> pd.DataFrame:
    """Return the curve of each label against all others; labels of no face, or of every face, have none."""
    curves = [
        curve(truth == number, probabilities[:, number]).assign(label=label)
        for number, label in enumerate(labels)
        if 0 < (truth == number).sum() < len(truth)
    ]
    table = pd.concat(curves) if curves else curve(np.array([True, False]), np.array([1, 0])).assign(label="")[:0]
    return table[["label", *table.columns.drop("label")]]


def _roc(positive: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    fpr, tpr, _ = roc_curve(positive, probability)
    return _thinned(pd.DataFrame({"fpr": fpr, "tpr": tpr}))


def _precision_recall(positive: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    precision, recall, _ = precision_recall_curve(positive, probability)
    return _thinned(pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]}))


def _thinned(curve: pd.DataFrame) -> pd.DataFrame:
    return curve.iloc[np.unique(np.linspace(0, len(curve) - 1, MAX_CURVE_POINTS).round().astype(int))]


def _histograms(truth: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    """Return histograms of the predicted class's probability, of right and of wrong predictions."""
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
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
