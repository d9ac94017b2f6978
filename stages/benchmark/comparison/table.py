"""The leaderboard as a table with one row per model."""

import pandas as pd

COLUMNS = {  # column → path of its value in an entry of the leaderboard
    "rank": "rank",
    "macro_f1": "out_of_fold.macro_f1",
    "macro_f1_low": "out_of_fold.interval.macro_f1.low",
    "macro_f1_high": "out_of_fold.interval.macro_f1.high",
    "macro_f1_mean": "out_of_fold.mean.macro_f1",
    "macro_f1_std": "out_of_fold.std.macro_f1",
    "accuracy": "out_of_fold.accuracy",
    "accuracy_low": "out_of_fold.interval.accuracy.low",
    "accuracy_high": "out_of_fold.interval.accuracy.high",
    "accuracy_mean": "out_of_fold.mean.accuracy",
    "accuracy_std": "out_of_fold.std.accuracy",
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
PRINTED = {  # column → heading on the terminal
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


def leaderboard_table(board: dict) -> pd.DataFrame:
    """Return the leaderboard as a table; values that are not known are NaN.

    The columns are model, `COLUMNS`, p_next (Holm's p-value of the macro-F1 against the next model), and the
    out-of-fold macro-F1 on each data set.
    """
    flat = pd.json_normalize(list(board["models"].values()))
    rows = pd.DataFrame({"model": list(board["models"])})
    for name, path in COLUMNS.items():
        rows[name] = flat.get(path)
    p_values = [pair["macro_f1"].get("p_holm") for pair in board["neighbours"].values()]
    rows["p_next"] = pd.Series(p_values, dtype=float).reindex(rows.index)
    per_dataset = [entry["out_of_fold"]["per_dataset"] for entry in board["models"].values()]
    for dataset in per_dataset[0]:
        rows[f"{dataset}_macro_f1"] = [metrics[dataset]["macro_f1"] for metrics in per_dataset]
    return rows


def as_text(rows: pd.DataFrame) -> str:
    """Return the main columns of `leaderboard_table` for the terminal."""
    shown = rows[list(PRINTED)].rename(columns=PRINTED)
    return shown.to_string(index=False, float_format="{:.3f}".format, na_rep="")
