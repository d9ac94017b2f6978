"""Check that params.yaml allows the benchmark, before its first job → data/benchmark-checked.txt.

    python -m stages.benchmark.check

It builds every network and splits the demo's faces for every fold. The file is always the same: the trainings depend on
it, so that they wait for this stage without running again after it.
"""

from pathlib import Path

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.curation.demo_split import check_demo
from stages.models.feasibility import check_network
from stages.params.complete import Params
from stages.params.models import recipe


def main() -> None:
    """Check the models, folds and settings of the benchmark."""
    params = Params.load()
    params.check_benchmark()
    if params.data.source == "demo":
        check_demo(params.data, params.sources.demo, params.split, params.benchmark.folds, ranked=True)
    for model in params.benchmark.models:
        check_network(recipe(model, params.train, params.models), params.data)
    with atomic_output(Path("data/benchmark-checked.txt")) as path:
        path.write_text("params.yaml allows the benchmark\n")


if __name__ == "__main__":
    guard(main)
