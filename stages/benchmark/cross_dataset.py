"""Compare models across data sets → metrics/cross.json.

    python -m stages.benchmark.cross_dataset

The chosen model is trained on each data set alone, with the labels that it has, and tested on the test faces of every
data set, without faces of other labels. The last row is the main pipeline's model, which is trained on all data sets.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from stages.base.errors import InputError, guard
from stages.base.files import read_json, write_json
from stages.base.paths import RunPaths
from stages.benchmark.records import Tested
from stages.benchmark.results import COMMAND
from stages.faces.subsets import LEAK
from stages.models.config import read_config
from stages.params.data import Data
from stages.params.general import General

METRICS = ("faces", "groups", "accuracy", "macro_f1", "interval")


def main() -> None:
    """Collect the metrics of the runs, and print macro-F1 as a table."""
    model, datasets = General.load().model, Data.load().datasets
    runs = {dataset: RunPaths.of(f"data/cross/{dataset}") for dataset in datasets} | {"all": RunPaths.of(None)}
    rows = {name: _row(paths) for name, paths in runs.items()}
    drawn = [row.pop("drawn_faces") for row in rows.values()]
    write_json({"model": model, "trained_on": rows, "drawn_faces": any(drawn)}, Path("metrics/cross.json"))

    table = {name: {on: part["macro_f1"] for on, part in row["tested_on"].items()} for name, row in rows.items()}
    print(f"macro-F1 of {model}; rows: data set of training, columns: data set of the test")
    print(pd.DataFrame(table).T.to_string(float_format="{:.3f}".format, na_rep=""))
    for name, row in rows.items():
        if leaks := row.get("leaks"):
            print(f"trained on {name}: leaks: {leaks['faces']:,} of {leaks['of']:,} {LEAK}")
        if seen := row.get("seen_test"):
            counts = f"at least {seen['faces']:,} of {seen['of']:,} test faces"
            print(f"trained on {name}: initial weights or teachers saw {counts}")
    if any(drawn):
        print("Some of these faces are drawn: their metrics say nothing about people.")


def _row(paths: RunPaths) -> dict[str, Any]:
    """Return the labels of a run's model and its metrics on the test faces of each data set."""
    for path in (paths.model / "config.json", paths.metrics):
        if not path.exists():
            raise InputError(f"{path}: not found; {COMMAND}")
    config, metrics = read_config(paths.model / "config.json"), read_json(paths.metrics, Tested)
    tested_on = {
        dataset: {name: part[name] for name in METRICS if name in part}
        for dataset, part in metrics["test"]["per_dataset"].items()
    }
    row = {"labels": config["labels"], "tested_on": tested_on, "drawn_faces": config["drawn_faces"]}
    return row | {name: metrics[name] for name in ("leaks", "seen_test") if name in metrics}


if __name__ == "__main__":
    guard(main)
