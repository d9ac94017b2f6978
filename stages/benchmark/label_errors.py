"""Labels that may be wrong, told from what models say of faces that they were not trained on."""

import pandas as pd
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

from stages.base.errors import InputError


def doubtful(rows: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """The rows with a doubtful label, the most doubtful first.

    `rows` has `label` and a column per label with its probability, 0 to 1, by a model that never saw the face or its
    person. What is found has three columns more: `suggested`, the most probable label, its `probability`, and `reason`,
    which says both in words.

    By confident learning (Northcutt, Jiang and Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels,
    2021) a label is doubtful where it is not the most probable, and another is at least as probable as it is on average
    for the faces that are labelled so. The less probable the label is, the more doubtful it is.

    Raises InputError where all faces have one label.
    """
    if rows["label"].nunique() < 2:
        raise InputError("all faces to review have one label: there is no other that they could be")
    given = pd.Index(labels).get_indexer(rows["label"])
    table = rows[labels]
    probabilities = table.to_numpy()
    found = rows.assign(
        suggested=table.idxmax(axis=1),
        probability=table.max(axis=1),
        confidence=get_label_quality_scores(given, probabilities, method="self_confidence"),
    )
    found = found[find_label_issues(given, probabilities, filter_by="confident_learning", n_jobs=1)]
    found = found.sort_values("confidence", kind="stable").drop(columns="confidence").reset_index(drop=True)
    told = zip(found["label"], found["suggested"], found["probability"])
    return found.assign(reason=[f"label {label} but looks like {other} ({share:.2f})" for label, other, share in told])
