"""Labels that may be wrong, found by predictions of models that were not trained on the faces."""

import pandas as pd
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

from stages.base.errors import InputError


def label_errors(rows: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """Return the faces whose label may be wrong, those with the least probable labels first.

    Confident learning (Northcutt, Jiang and Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels, 2021)
    calls a label an error if another label is more probable, and at least as probable as it is on average for the faces
    that have that label.

    Args:
        rows: one row per face: label, and for each of `labels` its probability, 0 to 1, by a model that was trained on
            no face of the same group.
        labels: the labels, in order.

    Returns:
        Rows of `rows` with three more columns: suggested (the most probable label), probability (of that label) and
        reason (both in words).

    Raises:
        InputError: all faces have the same label.
    """
    if rows["label"].nunique() < 2:
        raise InputError("all faces to review have the same label, so none can be wrong; review more data or labels")
    given = pd.Index(labels).get_indexer(rows["label"])
    table = rows[labels]
    probabilities = table.to_numpy()
    errors = rows.assign(
        suggested=table.idxmax(axis=1),
        probability=table.max(axis=1),
        confidence=get_label_quality_scores(given, probabilities, method="self_confidence"),
    )
    errors = errors[find_label_issues(given, probabilities, filter_by="confident_learning", n_jobs=1)]
    errors = errors.sort_values("confidence", kind="stable").drop(columns="confidence").reset_index(drop=True)
    texts = zip(errors["label"], errors["suggested"], errors["probability"], strict=True)
    return errors.assign(
        reason=[f"label {label} but looks like {other} ({share:.2f})" for label, other, share in texts]
    )
