"""Write the report and the model card → plots/report.html, data/model/README.md.

    python -m stages.report

The page shows faces unless `report.faces` in params.yaml is false.
"""

from pathlib import Path

import pandas as pd

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.base.files import read_json, sha256
from stages.base.paths import RunPaths
from stages.base.section import read
from stages.base.tables import read_table
from stages.models.config import read_config
from stages.params.report import Report
from stages.reporting import records
from stages.reporting.images import read_explained, read_strips
from stages.reporting.model_card import render_card
from stages.reporting.page import render_page
from stages.reporting.provenance import versions
from stages.reporting.run_charts import run_charts

RUN = RunPaths.of(None)
PAGE, CARD = Path("plots/report.html"), RUN.model / "README.md"


def main() -> None:
    """Read what the other stages wrote, then write the page and the card."""
    params = read("model", "seed", "data", "clean", "split", "augment")
    show_faces = Report.load().faces
    config, metrics = read_config(RUN.model / "config.json"), read_json(RUN.metrics, records.Metrics)
    counts = {name: read_json(Path(f"metrics/{name}.json"), schema) for name, schema in records.COUNTS.items()}
    for path, names, known in (
        ("metrics/merge.json", counts["merge"], config["sources"]),
        ("metrics/clean.json", counts["clean"], config["sources"]),
        (RUN.metrics, metrics["test"]["per_class"], config["labels"]),
    ):
        if different := set(names) ^ set(known):
            raise InputError(f"{path}: {min(different)} is missing here or in {RUN.model}; run: dvc repro")
    explore = {name: read_table(Path(f"plots/explore/{name}.csv"), kinds) for name, kinds in records.EXPLORE.items()}
    columns = records.evaluation_columns(config["labels"])
    evaluation = {name: read_table(RUN.tables / f"{name}.csv", kinds) for name, kinds in columns.items()}
    facts = {
        "model": params["model"],
        "config": config,
        "metrics": metrics,
        "training": read_json(RUN.training, records.Training),
        **counts,
        "confusion": evaluation["confusion"],
        "params": params | {"train": config["recipe"]},
    }
    content = facts | {
        "charts": run_charts(explore, _curves(), evaluation, metrics["test"], config["labels"], config["epoch"]),
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


def _curves() -> dict[str, pd.DataFrame]:
    """Return the training curves by their relative path without suffix."""
    folder = RUN.curves / "plots/metrics"
    tables = {file: read_table(file, {"step": int, file.stem: float}, separator="\t") for file in folder.rglob("*.tsv")}
    return {file.relative_to(folder).with_suffix("").as_posix(): tables[file] for file in sorted(tables)}


if __name__ == "__main__":
    guard(main)
