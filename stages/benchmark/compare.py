"""Compare the models of the benchmark → metrics/benchmark.json, metrics/benchmark.csv.

    python -m stages.benchmark.compare

Models are ranked by their out-of-fold predictions: each face is predicted by the models for which its fold neither was
trained on nor chose the epoch. Test metrics are reported beside them and decide nothing. Under split.protocol
cross_validation the out-of-fold faces are the test faces, so metrics of a model that is chosen by them are optimistic.
"""

from pathlib import Path
from statistics import fmean

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.base.files import read_json, write_json
from stages.base.progress import progress
from stages.benchmark.comparison.leaderboard import Runs, leaderboard
from stages.benchmark.comparison.table import as_text, leaderboard_table
from stages.benchmark.records import Cost
from stages.benchmark.results import configurations, ensemble, existing, leaked, predictions, trained_images
from stages.evaluation.notes import notes
from stages.faces.table import SPLIT_COLUMNS, read_index, write_index
from stages.params.benchmark import Benchmark
from stages.params.data import Data


def main() -> None:
    """Write the leaderboard and print it."""
    benchmark = Benchmark.load()
    labels: list[str] = [*Data.load().labels]
    index, copies = (
        read_index(Path("data/split/index.csv"), *SPLIT_COLUMNS),
        read_index(Path("data/augmented/index.csv"), "parent"),
    )
    models, drawn = {}, False
    for model in progress(benchmark.models, desc="read", unit="model"):
        out_of_fold = predictions("out_of_fold", model, benchmark, index, labels)
        test = predictions("test", model, benchmark, index, labels)
        configs = configurations(model, benchmark)
        cost = read_json(existing(Path(f"data/costs/{model}.json"), model), Cost)
        images = fmean(trained_images(model, benchmark, index, copies))
        facts = {
            "epochs": fmean(config["epoch"] for config in configs),
            "training_seconds": images / cost["training_images_per_second"],
            "cost": cost,
            "seen_test": max((config["seen_test"] or {} for config in configs), key=lambda seen: seen.get("faces", 0)),
        }
        models[model] = Runs(out_of_fold, test, ensemble(test, labels), facts)
        drawn |= any(config["drawn_faces"] for config in configs)

    leaks = leaked(benchmark.models[0], benchmark, index)
    board = leaderboard(models, labels) | {"drawn_faces": drawn, "leaks": leaks}
    rows = leaderboard_table(board)
    write_json(board, Path("metrics/benchmark.json"))
    with atomic_output(Path("metrics/benchmark.csv")) as path:
        write_index(rows, path)
    print(as_text(rows))
    for note in notes(board | {"leaks": leaks.get("test")}):
        print(note)


if __name__ == "__main__":
    guard(main)
