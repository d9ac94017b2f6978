"""Faces that are easy to classify, the outputs of the stages before training, and that stage as a real process."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from ruamel.yaml import YAML

from helpers.project import ROOT, source
from stages.curation.near_duplicates import perceptual_hashes
from stages.faces.table import write_index
from stages.training.checkpoint import DIGEST
from stages.training.dataset import LabelledFaces

LABELS = ["happy", "sadness"]
STAGE = [sys.executable, "-m", "stages.train"]


def bright_or_dark(count: int, seed: int = 0) -> LabelledFaces:
    """Return faces of two classes, one bright and one dark."""
    targets = torch.arange(count) % 2
    noise = torch.randint(0, 80, (count, 16, 16), generator=torch.Generator().manual_seed(seed))
    return LabelledFaces((noise + 150 * targets.view(-1, 1, 1)).to(torch.uint8), targets)


def write_tree(root: Path, seed: int = 0, **changes: object) -> None:
    """Write the outputs of the stages before training, with a few 16×16 faces, and a params.yaml for them."""
    params = YAML(typ="safe").load(ROOT / "params.yaml")
    params |= {"model": "cnn5", "seed": seed}
    params["data"] |= {"labels": LABELS}
    params["train"] |= {"epochs": 2, "batch_size": 8} | changes
    for folder in ("merged", "split", "augmented"):
        (root / "data" / folder).mkdir(parents=True)
    YAML().dump(params, root / "params.yaml")
    faces = bright_or_dark(31)
    labels = [LABELS[target] for target in faces.targets]
    index = pd.DataFrame({"id": range(31), "label": labels, "split": "train", "fold": np.arange(31) // 2 % 5})
    index["dataset"] = np.where(index["id"] < 20, "drawn-ck48", "drawn-sfew")
    index.loc[30, ["split", "fold"]] = "test", -1
    index["file"] = [f"{number}.png" for number in index["id"]]
    index["unit"], index["group"] = index["dataset"] + "/file/" + index["file"], index["id"]
    index = index.join(image_hashes(faces.pixels.numpy()))
    copies = pd.DataFrame({"id": range(5), "parent": range(10, 15), "label": labels[10:15], "fold": index.fold[10:15]})
    np.save(root / "data/merged/faces.npy", faces.pixels.numpy())
    np.save(root / "data/augmented/faces.npy", faces.pixels.numpy()[10:15])
    write_index(index, root / "data/split/index.csv")
    write_index(index[:0], root / "data/split/removed.csv")
    write_index(copies, root / "data/augmented/index.csv")
    (root / "data/merged/sources.json").write_text(json.dumps({"drawn-ck48": source(drawn=True)}))


def image_hashes(faces: np.ndarray) -> pd.DataFrame:
    """Return the columns sha256 and phash of an index."""
    phash = [value.tobytes().hex() for value in perceptual_hashes(faces)]
    return pd.DataFrame({"sha256": [hashlib.sha256(face).hexdigest() for face in faces], "phash": phash})


def start(root: Path, command: list[str] = STAGE, **pipes: object) -> subprocess.Popen:
    """Start the stage in the folder `root`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=root, env=environment, **pipes)


def train(root: Path, command: list[str] = STAGE) -> subprocess.CompletedProcess:
    """Run the stage in the folder `root`."""
    process = start(root, command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    printed, errors = process.communicate(timeout=600)
    return subprocess.CompletedProcess(command, process.returncode, printed, errors)


def trained_tree(root: Path, **changes: object) -> Path:
    """Write a tree and train its model, which must succeed; return the tree."""
    write_tree(root, **changes)
    done = train(root)
    assert done.returncode == 0, done.stderr
    return root


def outputs(root: Path) -> dict[str, bytes]:
    """Return the content of every file of the model and the curves, by path."""
    paths = [path for folder in ("data/model", "plots") for path in (root / folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def saved_step(checkpoint: Path) -> int:
    """The number of steps after which a checkpoint was saved."""
    with checkpoint.open("rb") as file:
        file.seek(DIGEST)
        return torch.load(file, weights_only=True)["step"]
