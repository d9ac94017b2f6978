"""The test faces shown in the report as examples."""

import numpy as np
import pandas as pd


def select_examples(predictions: pd.DataFrame, labels: list[str], mistakes: int) -> pd.DataFrame:
    """Select the most confident correct and wrong predictions.

    Args:
        predictions: one row per face with the columns id, dataset, label, prediction and, for each label, its
            probability, 0 to 1.
        labels: all labels, in the order in which they are shown.
        mistakes: largest number of rows of the kind mistake.

    Returns:
        One row per example with the columns kind, id, dataset, label, prediction and probability. The kinds are grid
        (for each pair of label and prediction that occurs, the most confident face), mistake (the most confident wrong
        predictions, in descending order) and right (the most confident correct prediction of each label). Among
        equally confident faces, the one with the lowest id comes first.
    """
    columns = [labels.index(prediction) for prediction in predictions["prediction"]]
    probability = predictions[labels].to_numpy()[np.arange(len(predictions)), columns]
    rows = predictions.assign(probability=probability).sort_values(["probability", "id"], ascending=[False, True])
    right = rows["label"] == rows["prediction"]

    def in_label_order(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.sort_values(["label", "prediction"], key=lambda column: column.map(labels.index))

    kinds = {
        "grid": in_label_order(rows.drop_duplicates(["label", "prediction"])),
        "mistake": rows[~right].head(mistakes),
        "right": in_label_order(rows[right].drop_duplicates("label")),
    }
    table = pd.concat([rows.assign(kind=kind) for kind, rows in kinds.items()], ignore_index=True)
    return table[["kind", "id", "dataset", "label", "prediction", "probability"]]
