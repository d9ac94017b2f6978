"""Compare the runs of the benchmark → metrics/benchmark.json, metrics/benchmark.csv.

Models are ranked by the faces of the folds that they were trained without; what they make of the test part is told
beside that, and chooses nothing.
"""

import json
from pathlib import Path
from statistics import fmean

from tqdm import tqdm

from stages.base import params
from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.benchmark.comparison.leaderboard import Runs, leaderboard
from stages.benchmark.comparison.table import printed, table
from stages.benchmark.results import configs, said, shown, together, written
from stages.faces.table import read_index, write_index


def main() -> None:
    p = params.load()
    index, labels = read_index(Path("data/split/index.csv")), p.data.labels
    copies = read_index(Path("data/augmented/index.csv"))
    models, drawn = {}, False
    for model in tqdm(p.benchmark.models, desc="read", unit="model", disable=None):
        validation, test = (said(part, model, p.benchmark, index, labels) for part in ("validation", "test"))
        made = configs(model, p.benchmark)
        cost = json.loads(written(Path(f"data/costs/{model}.json"), model).read_text(encoding="utf-8"))
        faces = fmean(shown(model, p.benchmark, index, copies))
        facts = {
            "epochs": fmean(config["epoch"] for config in made),
            "training_seconds": faces / cost["training_images_per_second"],
            "cost": cost,
        }
        models[model] = Runs(validation, test, together(test, labels), facts)
        drawn |= any(config["drawn_faces"] for config in made)

    board = leaderboard(models, labels) | {"drawn_faces": drawn}
    rows = table(board)
    with atomic_output(Path("metrics/benchmark.json")) as path:
        path.write_text(json.dumps(board, indent=2) + "\n", encoding="utf-8")
    with atomic_output(Path("metrics/benchmark.csv")) as path:
        write_index(rows, path)
    print(printed(rows))
    if drawn:
        print("Some of these faces are drawn: the figures say nothing about people.")


if __name__ == "__main__":
    guard(main)
