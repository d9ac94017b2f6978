"""List the faces whose label may be wrong → data/review/exclude.csv, plots/review.html.

    python -m stages.benchmark.review

The probabilities are out-of-fold predictions of the model that `benchmark.review` names, averaged over the seeds. Lines
of the list that a person agrees with are copied to data/exclude.csv as they are. Test faces are not reviewed, since
removing faces by a model's predictions would choose the test data by results.
"""

from pathlib import Path

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.benchmark.label_errors import label_errors
from stages.benchmark.results import ensemble, predictions
from stages.curation.exclusions import COLUMNS
from stages.faces.table import SPLIT_COLUMNS, open_faces, read_index, write_index
from stages.params.benchmark import Benchmark
from stages.params.data import Data
from stages.reporting.review_page import render_review

SHOWN = 100  # faces on the page


def main() -> None:
    """Write the list, and the page that shows its first faces."""
    benchmark = Benchmark.load()
    labels: list[str] = [*Data.load().labels]
    index = read_index(Path("data/split/index.csv"), *SPLIT_COLUMNS)
    if not (index["split"] == "test").any():
        raise InputError("split.protocol: under cross_validation every face is a test face, and none is reviewed")
    rows = ensemble(predictions("out_of_fold", benchmark.review, benchmark, index, labels), labels)
    errors = label_errors(rows, labels)
    shown = errors[:SHOWN]
    faces = open_faces(Path("data/merged/faces.npy"), index)[shown["id"].to_numpy()]

    with atomic_output(Path("data/review")) as folder:
        folder.mkdir()
        write_index(errors[COLUMNS], folder / "exclude.csv")
    with atomic_output(Path("plots/review.html")) as path:
        path.write_text(render_review(shown, faces, len(errors)), encoding="utf-8")
    print(f"{len(errors)} of {len(rows)} labels may be wrong; see plots/review.html")


if __name__ == "__main__":
    guard(main)
