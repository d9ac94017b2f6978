"""List the faces whose label is doubtful → data/review/exclude.csv, its first ones as plots/review.html.

The probabilities are those of a fold's faces by the models that were trained on the other folds, of the benchmark's
seeds the mean. Lines of the list that a
person agrees with go into data/exclude.csv as they are. Test faces are never reviewed: to choose them by what a model
says of them would be to choose by test data.
"""

from pathlib import Path

import pandas as pd

from stages.base import params
from stages.base.errors import InputError, guard
from stages.base.whole import whole
from stages.curation.exclusions import COLUMNS
from stages.doubts.ranking import doubtful
from stages.doubts.sheet import sheet
from stages.places import Places
from stages.table import open_faces, read_index, write_index

SHOWN = 100  # faces on the sheet
KNOWN = ["id", "dataset", "file", "label"]  # of a face, before a model sees it


def main() -> None:
    p = params.load()
    index = read_index(Path("data/split/index.csv"))
    chosen = p.benchmark
    runs = [
        predictions(p.model, fold, seed, index, p.data.labels) for fold in chosen.folds for seed in chosen.seeds
    ]
    rows = pd.concat(runs).groupby(KNOWN, as_index=False).mean()
    found = doubtful(rows, p.data.labels)
    shown = found[:SHOWN]
    faces = open_faces(Path("data/merged/faces.npy"))[shown["id"].to_numpy()]

    with whole(Path("data/review")) as folder:
        folder.mkdir()
        write_index(found[COLUMNS], folder / "exclude.csv")
    with whole(Path("plots/review.html")) as path:
        path.write_text(sheet(shown, faces, len(found)), encoding="utf-8")
    print(f"{len(found)} of {len(rows)} labels are doubtful: see plots/review.html")


def predictions(model: str, fold: int, seed: int, index: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """What a model that was trained without this fold says of its faces: id, dataset, file, label, probabilities.

    Raises InputError where that is not there, or was said of other faces or labels than those of today.
    """
    path = Places.benchmark(model, fold, seed).predictions / "validation.csv"
    if not path.exists():
        raise InputError(f"{path}: not found; `dvc repro benchmark/dvc.yaml` writes it if {model} is among "
                         "benchmark.models")
    rows = read_index(path)
    here = index.loc[index["fold"] == fold, KNOWN].reset_index(drop=True)
    if list(rows.columns[6:]) != labels or not rows[KNOWN].sort_values("id", ignore_index=True).equals(here):
        raise InputError(f"{path}: not of the faces and labels that fold {fold} has now; "
                         "`dvc repro benchmark/dvc.yaml` writes it again")
    return rows[KNOWN].join(rows[labels].astype(float))


if __name__ == "__main__":
    guard(main)
