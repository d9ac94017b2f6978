"""Write the benchmark's page → plots/benchmark.html. It shows no faces, so it can be shared.

python -m stages.benchmark.report
"""

from pathlib import Path
from typing import Any

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.base.files import read_json
from stages.base.section import read
from stages.benchmark.results import COMMAND
from stages.reporting.benchmark_charts import benchmark_content
from stages.reporting.page import render_page

PAGE = Path("plots/benchmark.html")


def main() -> None:
    """Write the page from the leaderboard and the comparison across data sets."""
    params = read()
    settings = {key: params[key] for key in ("benchmark", "seed", "data", "clean", "split", "augment", "train")}
    settings["split"] = {key: value for key, value in params["split"].items() if key != "fold"}
    settings["models"] = {model: params["models"][model] for model in params["benchmark"]["models"]}
    content = benchmark_content(_metrics("benchmark")) | {"crossed": _metrics("cross"), "params": settings}
    with atomic_output(PAGE) as path:
        path.write_text(render_page("benchmark", content), encoding="utf-8")
    print(f"open {PAGE} in a browser")


def _metrics(name: str) -> dict[str, Any]:
    path = Path(f"metrics/{name}.json")
    if not path.exists():
        raise InputError(f"{path}: not found; {COMMAND}")
    return read_json(path)


if __name__ == "__main__":
    guard(main)
