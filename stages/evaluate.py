"""Evaluate the trained model on the test faces → metrics/metrics.json, data/predictions/, plots/evaluation/.

    python -m stages.evaluate [--of FOLDER] [--threads N]

`--of` evaluates another run, inside its folder. Of a run of the benchmark, the out-of-fold faces are evaluated too.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from stages.base.errors import guard
from stages.base.files import write_json
from stages.base.paths import RunPaths
from stages.evaluation.notes import notes
from stages.evaluation.summary import basic_metrics, detailed_metrics
from stages.evaluation.tables import plot_tables, prediction_table, write_tables
from stages.faces.subsets import leaks, subsets_of
from stages.faces.table import SPLIT_COLUMNS, Selection, open_faces, read_index
from stages.models import hardware
from stages.models.forward import model_logits
from stages.models.saved_model import load


def main() -> None:
    """Predict the faces of each subset, then write and print the metrics."""
    options = argparse.ArgumentParser("python -m stages.evaluate", description=__doc__.splitlines()[0])
    options.add_argument("--of", metavar="FOLDER", help="folder of another run; default: the main pipeline's run")
    options.add_argument("--threads", type=int, help="CPU threads; default: one for each core")
    arguments = options.parse_args()
    paths = RunPaths.of(arguments.of)
    network, config = load(paths.model)
    labels, temperature = config["labels"], config["temperature"]
    index = read_index(Path("data/split/index.csv"), *SPLIT_COLUMNS)
    names = ("test", "validation", "out_of_fold") if config["ranked"] else ("test", "validation")
    chosen = subsets_of(config, index, *names)
    faces = {name: getattr(chosen, name) for name in names}

    device = hardware.device()
    hardware.deterministic(config["seed"], arguments.threads, device)
    network.to(device).to(memory_format=torch.channels_last)
    outputs = {name: _logits(network, config, subset) for name, subset in faces.items()}
    rows = {name: prediction_table(subset, outputs[name], labels) for name, subset in faces.items()}
    metrics = {
        "test": detailed_metrics(rows["test"], outputs["test"], temperature, labels),
        **{name: basic_metrics(rows[name], outputs[name], temperature, labels) for name in names[1:]},
        "temperature": temperature,
        "parameters": config["parameters"],
        "drawn_faces": config["drawn_faces"],
        **({"leaks": leak} if (leak := leaks(chosen.train, chosen.test)) else {}),
        **{name: seen for name in ("seen_test", "seen_validation") if (seen := config.get(name))},
    }
    write_tables(paths.predictions, rows)
    write_tables(paths.tables, plot_tables(rows["test"], outputs["test"], temperature, labels))
    write_json(metrics, paths.metrics)

    for name, row in {"test": metrics["test"], **metrics["test"]["per_dataset"]}.items():
        print(f"{name}: {row['faces']} faces, accuracy {row['accuracy']:.3f}, macro-F1 {row['macro_f1']:.3f}")
    for note in notes(metrics):
        print(note)


def _logits(network: nn.Module, config: dict, faces: pd.DataFrame) -> np.ndarray:
    """Return the logits of the faces, N×labels, float64."""
    pixels = Selection((open_faces(Path("data/merged/faces.npy")), faces.id.to_numpy()))
    return model_logits(network, config, pixels).cpu().double().numpy()  # Apple's MPS has no float64


if __name__ == "__main__":
    guard(main)
