"""The leaderboard as a table, a row a model."""

import pandas as pd

COLUMNS = {  # where in the leaderboard each is found
    "rank": "rank",
    "macro_f1": "validation.macro_f1",
    "macro_f1_low": "validation.interval.macro_f1.low",
    "macro_f1_high": "validation.interval.macro_f1.high",
    "macro_f1_mean": "validation.mean.macro_f1",
    "macro_f1_std": "validation.std.macro_f1",
    "accuracy": "validation.accuracy",
    "accuracy_low": "validation.interval.accuracy.low",
    "accuracy_high": "validation.interval.accuracy.high",
    "accuracy_mean": "validation.mean.accuracy",
    "accuracy_std": "validation.std.accuracy",
    "test_macro_f1": "test.mean.macro_f1",
    "test_accuracy": "test.mean.accuracy",
    "ensemble_test_macro_f1": "test.ensemble.macro_f1",
    "ensemble_test_accuracy": "test.ensemble.accuracy",
    "epochs": "epochs",
    "training_seconds": "training_seconds",
    "parameters": "cost.parameters",
    "flops": "cost.flops",
    "training_images_per_second": "cost.training_images_per_second",
    "inference_images_per_second": "cost.inference_images_per_second",
    "training_joules_per_image": "cost.training_joules_per_image",
    "inference_joules_per_image": "cost.inference_joules_per_image",
}
PRINTED = {
    "rank": "",
    "model": "model",
    "macro_f1": "macro-F1",
    "macro_f1_low": "low",
    "macro_f1_high": "high",
    "macro_f1_mean": "mean",
    "macro_f1_std": "sd",
    "accuracy": "accuracy",
    "ensemble_test_macro_f1": "test, ensemble",
    "test_macro_f1": "single",
    "p_next": "p to next",
}


def table(board: dict) -> pd.DataFrame:
    """`leaderboard` as rows: `model`, `COLUMNS`, `p_next`, and the out-of-fold macro-F1 of each data set.

    `p_next` is Holm's p-value of the macro-F1 against that of the next model. What is not known is NaN.
    """
    flat = pd.json_normalize(list(board["models"].values()))
    rows = pd.DataFrame({"model": list(board["models"])})
    for name, place in COLUMNS.items():
        rows[name] = flat.get(place)
    p_values = [pair["macro_f1"].get("p_holm") for pair in board["neighbours"].values()]
    rows["p_next"] = pd.Series(p_values, dtype=float).reindex(rows.index)
    sets = [run["validation"]["per_dataset"] for run in board["models"].values()]
    for dataset in sets[0]:
        rows[f"{dataset}_macro_f1"] = [figures[dataset]["macro_f1"] for figures in sets]
    return rows


def printed(rows: pd.DataFrame) -> str:
    """The main columns of `table`, for people."""
    shown = rows[list(PRINTED)].rename(columns=PRINTED)
    return shown.to_string(index=False, float_format="{:.3f}".format, na_rep="")
