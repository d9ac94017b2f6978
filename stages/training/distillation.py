"""Distillation: a network learns the probabilities of trained models, its teachers, besides the labels.

Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015. The teachers' logits are divided by the
temperature that calibrates them on validation faces; the higher one of that paper is not used. They are computed once,
of one view of each face as it is stored: computing them for each augmented batch would take longer than training a
small network.
"""

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from stages.base.errors import InputError
from stages.base.progress import progress
from stages.faces.table import Selection
from stages.models.forward import logits
from stages.models.preprocessing import Inputs
from stages.models.saved_model import load, model_folder
from stages.params.models import Recipe
from stages.training import distributed
from stages.training.seen_faces import read_seen

KEY = "train.teachers"
BATCH = 32  # faces at once; larger batches do not fit in a CPU's cache

Teacher = tuple[nn.Module, dict[str, Any]]  # a network and its config


def load_teachers(
    recipe: Recipe, labels: list[str], channels: int, model_path: str
) -> tuple[list[Teacher], dict[str, pd.DataFrame]]:
    """Return the teachers that `recipe.teachers` names, and the faces that each has seen.

    Args:
        recipe: the training recipe.
        labels: the labels that are learned.
        channels: channels of the faces.
        model_path: path of the trained model in a git revision of this repository.

    Returns:
        The teachers, and the faces of this project's data sets that each was trained on (see `read_seen`), by
        "train.teachers: name".

    Raises:
        InputError: a teacher, or what it was trained on, could not be loaded; it lacks a label; it was trained on grey
            faces, and these have colours.
    """
    teachers, seen = [], {}
    for name in recipe.teachers:
        with model_folder(name, model_path, KEY) as folder:
            network, config = load(folder)
            seen[f"{KEY}: {name}"] = read_seen(folder, name, KEY)
        if missing := [label for label in labels if label not in config["labels"]]:
            raise InputError(
                f"{KEY}: {name} does not know the label {missing[0]}; choose a model with all of data.labels"
            )
        if config["channels"] < channels:
            raise InputError(f"{KEY}: {name} was trained on grey faces; set data.channels: 1, or choose another model")
        teachers.append((network, config))
    return teachers, seen


def probabilities(
    teachers: list[Teacher], labels: list[str], faces: Tensor | Selection, device: torch.device
) -> Tensor:
    """Return the mean of the teachers' probabilities.

    Args:
        teachers: the teachers.
        labels: the labels in the order of the result's columns; of other labels a teacher's probabilities are left out.
        faces: uint8, N×H×W (grey) or N×H×W×3 (RGB), 0 to 255.
        device: where to compute.

    Returns:
        float32, N×labels, on the device.
    """
    total = np.zeros((len(faces), len(labels)))
    with progress(
        total=len(teachers) * len(faces), desc="teachers", unit="face", disable=distributed.rank() > 0
    ) as bar:
        for network, config in teachers:
            network.to(device).to(memory_format=torch.channels_last)
            columns = [config["labels"].index(label) for label in labels]
            for start in range(0, len(faces), BATCH):
                pixels = torch.as_tensor(faces[start : start + BATCH])
                if pixels.ndim == 3 and config["channels"] == 3:
                    pixels = pixels.unsqueeze(3).expand(-1, -1, -1, 3)
                outputs = logits(network, Inputs(**config["inputs"]), pixels).cpu().double()[:, columns]
                total[start : start + BATCH] += (outputs / config["temperature"]).softmax(1).numpy()
                bar.update(len(pixels))
            network.cpu()  # so that it takes no memory of the device in training
    return torch.from_numpy((total / len(teachers)).astype(np.float32)).to(device)
