"""List the faces whose label is doubtful → data/review/exclude.csv, its first ones as plots/review.html.

The probabilities are those of a fold's faces by the models that were trained on the other folds, of the benchmark's
seeds the mean. Lines of the list that a person agrees with go into data/exclude.csv as they are. Test faces are never
reviewed: to choose them by what a model says of them would be to choose by test data.
"""

from pathlib import Path

from stages.base import params
from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.benchmark.label_errors import doubtful
from stages.benchmark.results import said, together
from stages.curation.exclusions import COLUMNS
from stages.faces.table import open_faces, read_index, write_index
from stages.reporting.review_page import sheet

SHOWN = 100  # faces on the sheet


def main() -> None:
    p = params.load()
    index = read_index(Path("data/split/index.csv"))
    if not (index["split"] == "test").any():
        raise InputError("split.protocol: under cross_validation every face is a test face, and none may be reviewed")
    rows = together(said("validation", p.model, p.benchmark, index, p.data.labels), p.data.labels)
    found = doubtful(rows, p.data.labels)
    shown = found[:SHOWN]
    faces = open_faces(Path("data/merged/faces.npy"))[shown["id"].to_numpy()]

    with atomic_output(Path("data/review")) as folder:
        folder.mkdir()
        write_index(found[COLUMNS], folder / "exclude.csv")
    with atomic_output(Path("plots/review.html")) as path:
        path.write_text(sheet(shown, faces, len(found)), encoding="utf-8")
    print(f"{len(found)} of {len(rows)} labels are doubtful: see plots/review.html")


if __name__ == "__main__":
    guard(main)
