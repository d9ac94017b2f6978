"""Put the trained model to the test part, once → metrics/metrics.json, data/predictions.csv, plots/confusion.csv."""

import json
from pathlib import Path

import torch

from stages.base.errors import InputError, guard
from stages.base.whole import whole
from stages.evaluation.report import confusion, metrics, predictions
from stages.models import hardware
from stages.models.folder import load
from stages.models.forward import logits
from stages.models.inputs import Inputs
from stages.table import Selection, open_faces, read_index


def main() -> None:
    network, config = load(Path("data/model"))
    index = read_index(Path("data/split/index.csv"))
    test = index[index.split == "test"]
    if test.empty:
        raise InputError("data/split/index.csv: no face is in the test part; raise split.test_share")
    faces = Selection((open_faces(Path("data/merged/faces.npy")), test.id.to_numpy()))

    hardware.deterministic(config["seed"])
    device = hardware.device()
    network.to(device, memory_format=torch.channels_last)
    recipe = config["recipe"]
    inputs = Inputs(**config["inputs"])
    outputs = logits(network, inputs, faces, recipe["precision"], recipe["test_flips"]).cpu()

    rows = predictions(test, outputs, config["labels"])
    figures = {
        "test": metrics(rows, outputs, config["labels"]),
        "validation": config["validation"],
        "parameters": config["parameters"],
        "drawn_faces": config["drawn_faces"],
    }
    with whole(Path("data/predictions.csv")) as path:
        rows.to_csv(path, index=False, float_format="%.6f", lineterminator="\n")
    with whole(Path("plots/confusion.csv")) as path:
        confusion(rows, config["labels"]).to_csv(path, index=False, lineterminator="\n")
    with whole(Path("metrics/metrics.json")) as path:
        path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")

    for name, part in {"test": figures["test"], **figures["test"]["per_dataset"]}.items():
        print(f"{name}: {part['faces']} faces, accuracy {part['accuracy']:.3f}, macro-F1 {part['macro_f1']:.3f}")
    if config["drawn_faces"]:
        print("Some of these faces are drawn: the figures say nothing about people.")


if __name__ == "__main__":
    guard(main)
