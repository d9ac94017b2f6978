"""Distillation: a network learns the probabilities of trained models, its teachers, besides the labels.

Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015. The teachers' probabilities are
calibrated, so that no temperature has to be chosen. They are computed once, of the faces as they are stored: computing
them for each augmented batch would take longer than training a small network.
"""

from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from stages.base.errors import InputError
from stages.base.progress import progress
from stages.faces.table import Selection
from stages.models.config import HASHES
from stages.models.forward import logits
from stages.models.preprocessing import Inputs
from stages.models.saved_model import load, model_folder
from stages.params.models import Recipe
from stages.training import distributed
from stages.training.seen_faces import NONE, read_seen

KEY = "train.teachers"
BATCH = 32  # faces at once; larger batches do not fit in a CPU's cache

Teacher = tuple[nn.Module, dict[str, Any]]  # a network and its config


def load_teachers(
    recipe: Recipe, labels: list[str], channels: int, model_path: str
) -> tuple[list[Teacher], pd.DataFrame]:
    """Return the teachers that `recipe.teachers` names, and the faces they have seen.

    Args:
        recipe: the training recipe.
        labels: the labels that are learned.
        channels: channels of the faces.
        model_path: path of the trained model in a git revision of this repository.

    Returns:
        The teachers, and the faces of this project's data sets that they were trained on (see `read_seen`).

    Raises:
        InputError: a teacher, or what it was trained on, could not be loaded; it has other labels; it was
            trained on grey faces, and these have colours.
    """
    teachers, seen = [], [NONE]
    for name in recipe.teachers:
        with model_folder(name, model_path, KEY) as folder:
            network, config = load(folder)
            seen.append(read_seen(folder, name, KEY))
        if set(config["labels"]) != set(labels):
            raise InputError(
                f"{KEY}: {name} has the labels {', '.join(config['labels'])}, and this training {', '.join(labels)}; "
                "they must be the same"
            )
        if config["channels"] < channels:
            raise InputError(f"{KEY}: {name} was trained on grey faces; set data.channels: 1, or choose another model")
        teachers.append((network, config))
    return teachers, pd.concat(seen)


def weight_hashes(teachers: list[Teacher]) -> list[str]:
    """Return the SHA-256 of the weights of each teacher."""
    return [config[HASHES]["weights"] for _, config in teachers]


def probabilities(
    teachers: list[Teacher], labels: list[str], faces: Tensor | Selection, device: torch.device
) -> Tensor:
    """Return the mean of the teachers' calibrated probabilities.

    Args:
        teachers: the teachers.
        labels: the labels in the order of the result's columns.
        faces: uint8, N×H×W (grey) or N×H×W×3 (RGB), 0 to 255.
        device: where to compute.

    Returns:
        float32, N×labels, on the device.
    """
    total = torch.zeros(len(faces), len(labels), dtype=torch.float64, device=device)
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
                outputs = logits(network, Inputs(**config["inputs"]), pixels)[:, columns]
                total[start : start + BATCH] += (outputs.double() / config["temperature"]).softmax(1)
                bar.update(len(pixels))
    return (total / len(teachers)).float()
