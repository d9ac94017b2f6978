"""Compare what one data set's faces teach about the others' → metrics/cross.json.

The chosen model is trained on each data set alone, on the labels that it has, and tested on the test part of each:
faces of other labels are left out there. The last row is the pipeline's own model, trained on all of them.
"""

import json
from pathlib import Path

import pandas as pd

from stages.base import params
from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.base.paths import RunPaths

TOLD = ("faces", "groups", "accuracy", "macro_f1", "interval")


def main() -> None:
    p = params.load()
    runs = {dataset: RunPaths.of(f"data/cross/{dataset}") for dataset in p.data.datasets} | {"all": RunPaths.of(None)}
    crossed = {name: _told(paths) for name, paths in runs.items()}
    drawn = any([row.pop("drawn_faces") for row in crossed.values()])
    with atomic_output(Path("metrics/cross.json")) as path:
        content = {"model": p.model, "trained_on": crossed, "drawn_faces": drawn}
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    table = {name: {on: part["macro_f1"] for on, part in row["tested_on"].items()} for name, row in crossed.items()}
    print(f"macro-F1 of {p.model}, trained on the data set of a row, tested on that of a column:")
    print(pd.DataFrame(table).T.to_string(float_format="{:.3f}".format, na_rep=""))
    if drawn:
        print("Some of these faces are drawn: the figures say nothing about people.")


def _told(paths: RunPaths) -> dict:
    """The labels that a run knows, and its figures on each data set's test part."""
    for path in (paths.model / "config.json", paths.metrics):
        if not path.exists():
            raise InputError(f"{path}: not found; `dvc repro stages/benchmark/dvc.yaml:cross` writes it")
    config = json.loads((paths.model / "config.json").read_text(encoding="utf-8"))
    test = json.loads(paths.metrics.read_text(encoding="utf-8"))["test"]
    tested_on = {
        dataset: {name: part[name] for name in TOLD if name in part} for dataset, part in test["per_dataset"].items()
    }
    return {"labels": config["labels"], "tested_on": tested_on, "drawn_faces": config["drawn_faces"]}


if __name__ == "__main__":
    guard(main)
