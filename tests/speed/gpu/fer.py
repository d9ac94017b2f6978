"""Seconds until a network classifies FER2013's PrivateTest with a given accuracy: each training is a process.

    python tests/speed/gpu/fer.py PROJECT SEED

prints the seconds of one training as JSON. PROJECT is a project whose stage split has run; its params.yaml names the
model and the recipe. The network is trained on all faces that are neither official test faces nor excluded, without
balancing copies. Its accuracy on the test part is measured after each epoch: that is what the time to an accuracy is.
Nothing else is done with it: no epoch, no rate and no model is chosen by it, and the trained network is thrown away.

`seconds` count from the end of Python's imports and `seconds_with_imports` from the start of the process. Both include
reading the faces, building the network, and the evaluations and checkpoints after each epoch.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[3]))

import torch

from speed.gpu.setting import Setting
from stages.base.errors import InputError, guard
from stages.faces.table import open_faces, read_index
from stages.models import hardware
from stages.models.networks import build
from stages.models.preprocessing import Inputs
from stages.params.data import Data
from stages.params.general import General
from stages.params.models import load_recipe
from stages.training.checkpoint import Checkpoint
from stages.training.dataset import labelled_faces
from stages.training.gpu_batch import for_device
from stages.training.loop import Training

TARGETS = (0.656, 0.70)


def cells(setting: Setting) -> Iterator[tuple[str, Callable[[], dict]]]:
    for seed in range(setting.seeds):
        yield f"seed {seed}", partial(measure, setting.project, seed, setting.device)


def measure(project: Path, seed: int, device: torch.device) -> dict:
    """Train in a process of its own, and return what it prints."""
    environment = os.environ | ({"CUDA_VISIBLE_DEVICES": ""} if device.type == "cpu" else {})
    command = [sys.executable, __file__, str(project), str(seed)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    started = time.perf_counter()
    imports = time.time() - psutil.Process().create_time()
    project, seed = Path(sys.argv[1]), int(sys.argv[2])
    device = hardware.device()
    hardware.deterministic(seed, device=device)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        training = prepare(project, seed, device)
        checkpoint = Checkpoint({"benchmark": "fer"})
        epochs = [(time.perf_counter() - started, epoch) for epoch in training.epochs(checkpoint)]
        checkpoint.remove()
    result = {"arch": training.recipe.arch, "training_faces": len(training.train)}
    result |= {"test_faces": len(training.validation), "precision": training.precision}
    result |= {"batch_size": training.recipe.batch_size, "lr": training.recipe.lr}
    for target in TARGETS:
        reached = (seconds for seconds, epoch in epochs if epoch.validation["accuracy"] >= target)
        seconds = next(reached, None)
        result[f"seconds_to_{target}"] = seconds
        result[f"seconds_with_imports_to_{target}"] = None if seconds is None else seconds + imports
    result["epochs"] = [[round(seconds, 3), epoch.validation["accuracy"]] for seconds, epoch in epochs]
    print(json.dumps(result))


def prepare(project: Path, seed: int, device: torch.device) -> Training:
    """Return the training of the project's model, with the official test part in the place of the validation faces."""
    params = project / "params.yaml"
    recipe = load_recipe(General.load(params).model, params)
    index = read_index(project / "data/split/index.csv")
    table = open_faces(project / "data/merged/faces.npy", index)
    index = index[index.dataset == "fer2013"]
    labels = [label for label in Data.load(params).labels if label in set(index.label)]
    learned, test = index[index.split == "train"], index[(index.split == "test") & (index.official == "test")]
    if learned.empty or test.empty:
        raise InputError(f"{project}/data/split/index.csv: FER2013 has no training faces, or no official test faces")
    faces, validation = (labelled_faces([(table, rows)], labels) for rows in (learned, test))
    inputs = Inputs.fit(faces.pixels, recipe.input_size or faces.pixels.shape[1])
    network = build(recipe.arch, len(labels), len(inputs.mean), inputs.size, recipe.dropout)
    network.to(device).to(memory_format=torch.channels_last)
    recipe = for_device(recipe, device, len(faces))
    recipe = recipe.model_copy(update={"patience": recipe.epochs})  # the test faces must not end the training
    return Training(network, inputs, faces.to(device), validation.to(device), len(labels), recipe, seed)


if __name__ == "__main__":
    guard(main)
