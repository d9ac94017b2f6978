"""Put the trained model to the test part, once → metrics/metrics.json, data/predictions/, plots/evaluation/."""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.base.paths import RunPaths
from stages.evaluation.calibration import temperature
from stages.evaluation.summary import figures, validation
from stages.evaluation.tables import predictions, tables
from stages.faces.subsets import subsets
from stages.faces.table import Selection, open_faces, read_index
from stages.models import hardware
from stages.models.forward import logits
from stages.models.preprocessing import Inputs
from stages.models.saved_model import load


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--of", metavar="FOLDER", help="of the run in this folder, not of the pipeline's own")
    options.add_argument("--threads", type=int, help="on the CPU; else as many as there are cores")
    given = options.parse_args()
    paths = RunPaths.of(given.of)
    network, config = load(paths.model)
    labels = config["labels"]
    chosen = subsets(read_index(Path("data/split/index.csv")), config["fold"], config["dataset"])
    looked_at = {"test": chosen.test, "validation": chosen.validation}
    for name, faces in looked_at.items():
        if faces.empty:
            raise InputError(f"data/split/index.csv: no face is in the {name} part; change split")

    hardware.deterministic(config["seed"], given.threads)
    network.to(hardware.device(), memory_format=torch.channels_last)
    outputs = {name: _logits(network, config, faces) for name, faces in looked_at.items()}
    rows = {name: predictions(faces, outputs[name], labels) for name, faces in looked_at.items()}
    scale = temperature(outputs["validation"], pd.Index(labels).get_indexer(rows["validation"].label))
    told = {
        "test": figures(rows["test"], outputs["test"], scale, labels),
        "validation": validation(rows["validation"], outputs["validation"], scale, labels),
        "temperature": round(scale, 6),
        "parameters": config["parameters"],
        "drawn_faces": config["drawn_faces"],
    }
    _write_tables(paths.predictions, rows)
    _write_tables(paths.tables, tables(rows["test"], outputs["test"], scale, labels))
    with atomic_output(paths.metrics) as path:
        path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")

    for name, part in {"test": told["test"], **told["test"]["per_dataset"]}.items():
        print(f"{name}: {part['faces']} faces, accuracy {part['accuracy']:.3f}, macro-F1 {part['macro_f1']:.3f}")
    if config["drawn_faces"]:
        print("Some of these faces are drawn: the figures say nothing about people.")


def _logits(network: nn.Module, config: dict, faces: pd.DataFrame) -> np.ndarray:
    """Faces×labels, float64."""
    pixels = Selection((open_faces(Path("data/merged/faces.npy")), faces.id.to_numpy()))
    recipe = config["recipe"]
    outputs = logits(network, Inputs(**config["inputs"]), pixels, recipe["precision"], recipe["test_flips"])
    return outputs.double().cpu().numpy()


def _write_tables(folder: Path, named: dict[str, pd.DataFrame]) -> None:
    with atomic_output(folder) as beside:
        beside.mkdir()
        for name, table in named.items():
            table.to_csv(beside / f"{name}.csv", index=False, float_format="%.6f", lineterminator="\n")


if __name__ == "__main__":
    guard(main)
