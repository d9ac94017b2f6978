"""A small model on disk, with random weights that tell faces apart."""

from pathlib import Path

import torch

from helpers import saved
from stages.models.networks import build
from stages.models.saved_model import save

LABELS = ["anger", "happy", "neutral"]


def write_model(folder: Path, channels: int = 1, **changes: object) -> Path:
    """Write a model for faces of 48×48 pixels; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    inputs = {"size": 48, "mean": [0.5] * channels, "std": [0.25] * channels, "per_face": False}
    facts = saved.config(
        architecture="mini_xception", labels=LABELS, channels=channels, face_size=48, inputs=inputs, temperature=0.5
    )
    network = build("mini_xception", len(LABELS), channels, 48, 0.3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.3)
    save(folder, network, facts | changes)
    return folder
