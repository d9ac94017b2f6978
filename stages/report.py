"""Tell it all on one page, and the model's card → plots/report.html, data/model/README.md."""

import json
from pathlib import Path

import pandas as pd

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.params.report import Report
from stages.params.section import read
from stages.reporting.images import embedded, faces_of
from stages.reporting.model_card import card
from stages.reporting.page import page
from stages.reporting.provenance import sha256, tree_id, versions
from stages.reporting.run_charts import album

CURVES = Path("plots/training/plots/metrics")
PAGE, CARD = Path("plots/report.html"), Path("data/model/README.md")


def main() -> None:
    params = read()
    show_faces = Report.load().faces
    config = _json("data/model/config.json")
    figures = {name: _json(f"metrics/{name}.json") for name in ("metrics", "merge", "clean", "split")}
    evaluation, explore = _tables(Path("plots/evaluation"), ".csv"), _tables(Path("plots/explore"), ".csv")
    test = figures["metrics"]["test"]
    facts = {
        "model": params["model"],
        "config": config,
        **figures,
        "confusion": evaluation["confusion"],
        "params": {
            **{key: params[key] for key in ("model", "seed", "data", "clean", "split", "augment")},
            "train": config["recipe"],
        },
    }
    content = facts | {
        "charts": album(explore, _tables(CURVES, ".tsv"), evaluation, test, config["labels"], config["epoch"]),
        "faces": show_faces,
        "strips": _strips(Path("plots/faces"), config["labels"]) if show_faces else [],
        "explained": _explained(Path("plots/explained"), show_faces),
        "tree": tree_id(Path("stages")),
        "versions": versions(),
        "weights": sha256(Path("data/model/weights.safetensors")),
    }
    with atomic_output(PAGE) as path:
        path.write_text(page("report", content), encoding="utf-8")
    with atomic_output(CARD) as path:
        path.write_text(card(facts), encoding="utf-8")
    print(f"open {PAGE} in a browser; the model's card is {CARD}")


def _json(path: str) -> dict:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def _tables(folder: Path, suffix: str) -> dict[str, pd.DataFrame]:
    """Every table in a folder, by its path in there without suffix."""
    separator = "\t" if suffix == ".tsv" else ","
    files = sorted(folder.rglob(f"*{suffix}"))
    return {file.relative_to(folder).with_suffix("").as_posix(): pd.read_csv(file, sep=separator) for file in files}


def _strips(folder: Path, labels: list[str]) -> list[dict]:
    """The rows of strips.csv, each with its `pictures`; those of labels in their order."""
    rows = pd.read_csv(folder / "strips.csv").to_dict("records")
    rows.sort(key=lambda row: labels.index(row["name"]) if row["name"] in labels else len(labels))
    return [row | {"pictures": faces_of(folder / row["file"], row["shown"])} for row in rows]


def _explained(folder: Path, pictures: bool) -> list[dict]:
    """The rows of faces.csv, each with its pictures `face` and `map` in place of their files, "" for none."""
    rows = pd.read_csv(folder / "faces.csv").fillna({"prediction": "", "face": "", "map": ""}).to_dict("records")
    for row in rows:
        for name in ("face", "map"):
            row[name] = embedded(folder / row[name]) if pictures and row[name] else ""
    return rows


if __name__ == "__main__":
    guard(main)
