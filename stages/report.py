"""Write the report and the model card → plots/report.html, data/model/README.md."""

from pathlib import Path

import pandas as pd

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.base.files import read_json, sha256
from stages.base.paths import RunPaths
from stages.params.report import Report
from stages.params.section import read
from stages.reporting.images import file_uri, strip_uris
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
        "strips": _strips(Path("plots/faces"), config["labels"]) if show_faces else [],
        "explained": _explained(Path("plots/explained"), show_faces),
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
    separator = "\t" if suffix == ".tsv" else ","
    files = sorted(folder.rglob(f"*{suffix}"))
    return {file.relative_to(folder).with_suffix("").as_posix(): pd.read_csv(file, sep=separator) for file in files}


def _strips(folder: Path, labels: list[str]) -> list[dict]:
    """Return the rows of strips.csv in the order of `labels`, each with the data URIs of its faces as `images`."""
    rows = pd.read_csv(folder / "strips.csv").to_dict("records")
    rows.sort(key=lambda row: labels.index(row["name"]) if row["name"] in labels else len(labels))
    return [row | {"images": strip_uris(folder / row["file"], row["shown"])} for row in rows]


def _explained(folder: Path, show_faces: bool) -> list[dict]:
    """Return the rows of faces.csv with data URIs in place of the files `face` and `map`; "" for no image."""
    rows = pd.read_csv(folder / "faces.csv").fillna({"prediction": "", "face": "", "map": ""}).to_dict("records")
    for row in rows:
        for name in ("face", "map"):
            row[name] = file_uri(folder / row[name]) if show_faces and row[name] else ""
    return rows


if __name__ == "__main__":
    guard(main)
