"""The outputs of the stages before evaluate, made up for tests."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from helpers import saved
from stages.faces.table import write_index
from stages.models.networks import build
from stages.models.saved_model import save

LABELS = ["anger", "fear", "happy", "neutral"]


def write_tree(root: Path, test_faces: pd.DataFrame, drawn: bool) -> None:
    """Write an untrained model, faces, and an index with as many validation faces as test faces."""
    for folder in ("merged", "split", "model"):
        (root / "data" / folder).mkdir(parents=True)
    torch.manual_seed(0)
    config = saved.config(labels=LABELS, fold=2, drawn_faces=drawn)
    save(root / "data/model", build("cnn5", 4, 1, 16, 0.3), config)
    np.save(root / "data/merged/faces.npy", np.random.default_rng(0).integers(0, 256, (120, 16, 16), dtype=np.uint8))
    index = pd.concat([test_faces, test_faces.assign(id=test_faces.id + 1, split="train", fold=2)])
    write_index(index, root / "data/split/index.csv")
