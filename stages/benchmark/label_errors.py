"""Labels that may be wrong, found by predictions of models that were not trained on the faces."""

import numpy as np
import pandas as pd
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.rank import get_label_quality_scores

from stages.base.errors import InputError

MIN_FACES = 10  # of a label in a data set, for an average of their own


def label_errors(rows: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """Return the faces whose label may be wrong, those with the least probable labels first.

    Confident learning (Northcutt, Jiang and Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels, 2021)
    calls a label an error if another label is more probable, and at least as probable as it is on average for the faces
    that have that label. The average is over the faces of the same data set, since models are surer of some data sets
    than of others; where it has fewer than `MIN_FACES` faces of a label, the average is over all data sets.

    Args:
        rows: one row per face: dataset, label, and for each of `labels` its probability, 0 to 1, by a model that was
            trained on no face of the same group.
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
    overall = get_confident_thresholds(given, probabilities)
    doubted = np.zeros(len(rows), bool)
    for members in rows.groupby("dataset").indices.values():
        own, shares = given[members], probabilities[members]
        enough = np.bincount(own, minlength=len(labels)) >= MIN_FACES
        thresholds = np.where(enough, get_confident_thresholds(own, shares), overall)
        _, found = compute_confident_joint(
            own, shares, thresholds=thresholds, calibrate=False, return_indices_of_off_diagonals=True
        )
        doubted[members[found]] = True
    errors = errors[doubted & (errors["suggested"] != errors["label"])]
    errors = errors.sort_values("confidence", kind="stable").drop(columns="confidence").reset_index(drop=True)
    texts = zip(errors["label"], errors["suggested"], errors["probability"], strict=True)
    return errors.assign(
        reason=[f"label {label} but predicted as {other} ({share:.2f})" for label, other, share in texts]
    )
