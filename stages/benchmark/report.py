"""Show the benchmark on one page → plots/benchmark.html. No face is on it, so it may be passed on."""

import json
from pathlib import Path

from stages.base import params
from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.reporting.benchmark_charts import board
from stages.reporting.page import page

PAGE = Path("plots/benchmark.html")


def main() -> None:
    p = params.load()
    told = board(_found("benchmark")) | {"crossed": _found("cross")}
    settings = {
        "benchmark": p.benchmark.model_dump(),
        "seed": p.seed,
        "data": p.data.model_dump(),
        "clean": p.clean.model_dump(),
        "split": p.split.model_dump(exclude={"fold"}),
        "augment": p.augment.model_dump(),
        "train": p.train.model_dump(),
        "models": {model: p.models[model] for model in p.benchmark.models},
    }
    with atomic_output(PAGE) as path:
        path.write_text(page("benchmark", told | {"params": settings}), encoding="utf-8")
    print(f"open {PAGE} in a browser")


def _found(name: str) -> dict:
    path = Path(f"metrics/{name}.json")
    if not path.exists():
        raise InputError(f"{path}: not found; `dvc repro stages/benchmark/dvc.yaml` writes it")
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    guard(main)
