"""Write the report and the model card → plots/report.html, data/model/README.md.

    python -m stages.report

The page shows faces unless `report.faces` in params.yaml is false.
"""

from pathlib import Path

import pandas as pd

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.base.files import read_json, sha256
from stages.base.paths import RunPaths
from stages.base.section import read
from stages.params.report import Report
from stages.reporting.images import read_explained, read_strips
from stages.reporting.model_card import render_card
from stages.reporting.page import render_page
from stages.reporting.provenance import versions
from stages.reporting.run_charts import run_charts

RUN = RunPaths.of(None)
PAGE, CARD = Path("plots/report.html"), RUN.model / "README.md"


def main() -> None:
    """Read what the other stages wrote, then write the page and the card."""
    params = read()
    show_faces = Report.load().faces
    config = read_json(RUN.model / "config.json")
    metrics = read_json(RUN.metrics)
    explore, evaluation = _tables(Path("plots/explore"), ".csv"), _tables(RUN.tables, ".csv")
    curves = _tables(RUN.curves / "plots/metrics", ".tsv")
    facts = {
        "model": params["model"],
        "config": config,
        "metrics": metrics,
        "training": read_json(RUN.training),
        **{name: read_json(Path(f"metrics/{name}.json")) for name in ("merge", "clean", "split")},
        "confusion": evaluation["confusion"],
        "params": {
            **{key: params[key] for key in ("model", "seed", "data", "clean", "split", "augment")},
            "train": config["recipe"],
        },
    }
    content = facts | {
        "charts": run_charts(explore, curves, evaluation, metrics["test"], config["labels"], config["epoch"]),
        "show_faces": show_faces,
        "strips": read_strips(Path("plots/faces"), config["labels"]) if show_faces else [],
        "explained": read_explained(Path("plots/explained"), show_faces),
        "versions": versions(),
        "weights": sha256(RUN.model / "weights.safetensors"),
    }
    with atomic_output(PAGE) as path:
        path.write_text(render_page("report", content), encoding="utf-8")
    with atomic_output(CARD) as path:
        path.write_text(render_card(facts), encoding="utf-8")
    print(f"wrote {PAGE} (open it in a browser) and {CARD}")


def _tables(folder: Path, suffix: str) -> dict[str, pd.DataFrame]:
    """Return the tables in a folder by their relative path without suffix."""
    files, sep = sorted(folder.rglob(f"*{suffix}")), "\t" if suffix == ".tsv" else ","
    return {file.relative_to(folder).with_suffix("").as_posix(): pd.read_csv(file, sep=sep) for file in files}


if __name__ == "__main__":
    guard(main)
