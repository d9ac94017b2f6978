"""Which faces of the test part are worth a look."""

import numpy as np
import pandas as pd


def chosen(predictions: pd.DataFrame, labels: list[str], mistakes: int) -> pd.DataFrame:
    """The faces to look at, a row each: kind, id, dataset, label, prediction, probability.

    `predictions` has the columns id, dataset, label, prediction, and for each of `labels` its probability, 0 to 1.
    Kinds are grid, for each pair of label and prediction that occurs the face predicted with most probability; mistake,
    the `mistakes` most confident wrong ones, from the most on; right, the most confident right one of each label. Grid
    and right come in the order of `labels`; of equally confident faces the lowest id comes first.
    """
    columns = [labels.index(prediction) for prediction in predictions["prediction"]]
    probability = predictions[labels].to_numpy()[np.arange(len(predictions)), columns]
    rows = predictions.assign(probability=probability).sort_values(["probability", "id"], ascending=[False, True])
    right = rows["label"] == rows["prediction"]

    def in_order(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.sort_values(["label", "prediction"], key=lambda column: column.map(labels.index))

    kinds = {
        "grid": in_order(rows.drop_duplicates(["label", "prediction"])),
        "mistake": rows[~right].head(mistakes),
        "right": in_order(rows[right].drop_duplicates("label")),
    }
    table = pd.concat([rows.assign(kind=kind) for kind, rows in kinds.items()], ignore_index=True)
    return table[["kind", "id", "dataset", "label", "prediction", "probability"]]
