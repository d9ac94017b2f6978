"""What is told of a model put to the test: a table of predictions, and the figures that follow from it."""

import pandas as pd
import torch
from sklearn.metrics import confusion_matrix
from torch import Tensor

from stages.base.errors import InputError
from stages.evaluation.scores import measure, per_class, scores


def predictions(test: pd.DataFrame, logits: Tensor, labels: list[str]) -> pd.DataFrame:
    """A row a face: id, dataset, file, label, prediction, and a column per label with its probability.

    `test` has the first four columns, `logits` is N×labels. Raises InputError where a face's label is not in `labels`.
    """
    if unknown := sorted(set(test.label) - set(labels)):
        raise InputError(f"the model was not trained on {unknown[0]!r}, which the test part holds; train it again")
    rows = test[["id", "dataset", "file", "label"]].reset_index(drop=True)
    rows["prediction"] = [labels[best] for best in logits.argmax(1)]
    return rows.join(pd.DataFrame(logits.double().softmax(1).numpy(), columns=labels))


def metrics(rows: pd.DataFrame, logits: Tensor, labels: list[str]) -> dict:
    """Figures of `predictions` and their N×labels `logits`: overall, per class and per data set, to six decimals."""
    truth, prediction = (pd.Index(labels).get_indexer(rows[column]) for column in ("label", "prediction"))
    figures = {"faces": len(rows), **measure(logits, torch.from_numpy(truth))}
    figures["per_class"] = per_class(truth, prediction, labels)
    figures["per_dataset"] = {
        dataset: {"faces": len(at), **scores(truth[at], prediction[at])}
        for dataset, at in rows.groupby("dataset").indices.items()
    }
    return _rounded(figures)


def confusion(rows: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """How many faces of each label got each prediction: label, prediction, faces; every pair of labels, in order."""
    table = pd.MultiIndex.from_product([labels, labels], names=["label", "prediction"]).to_frame(index=False)
    return table.assign(faces=confusion_matrix(rows.label, rows.prediction, labels=labels).ravel())


def _rounded(figures: dict) -> dict:
    return {name: _rounded(value) if isinstance(value, dict) else round(value, 6) for name, value in figures.items()}
