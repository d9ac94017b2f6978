"""Write the benchmark's page → plots/benchmark.html. It shows no faces, so it can be shared.

python -m stages.benchmark.report
"""

from pathlib import Path
from typing import Any

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.base.files import read_json
from stages.base.section import Record, read
from stages.benchmark.records import Board, Crossed
from stages.benchmark.results import COMMAND
from stages.params.benchmark import Benchmark
from stages.reporting.benchmark_charts import benchmark_content
from stages.reporting.page import render_page

PAGE = Path("plots/benchmark.html")


def main() -> None:
    """Write the page from the leaderboard and the comparison across data sets."""
    settings = read("benchmark", "seed", "data", "clean", "split", "augment", "train", "models")
    settings["split"] = {key: value for key, value in settings["split"].items() if key != "fold"}
    settings["models"] = {model: settings["models"][model] for model in Benchmark.load().models}
    board, crossed = _metrics("benchmark", Board), _metrics("cross", Crossed)
    content = benchmark_content(board) | {"crossed": crossed, "params": settings}
    with atomic_output(PAGE) as path:
        path.write_text(render_page("benchmark", content), encoding="utf-8")
    print(f"open {PAGE} in a browser")


def _metrics(name: str, schema: type[Record]) -> dict[str, Any]:
    path = Path(f"metrics/{name}.json")
    if not path.exists():
        raise InputError(f"{path}: not found; {COMMAND}")
    return read_json(path, schema)


if __name__ == "__main__":
    guard(main)
