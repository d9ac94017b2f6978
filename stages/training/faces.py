"""The faces that a network learns from, and those that its training is judged by."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stages.base.errors import InputError


@dataclass(frozen=True)
class LabelledFaces:
    """Faces with their classes: `pixels` is uint8 N×H×W or N×H×W×3, `targets` int64 N, positions in the labels."""

    pixels: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    def to(self, device: torch.device) -> "LabelledFaces":
        return LabelledFaces(self.pixels.to(device), self.targets.to(device))


def select(
    index: pd.DataFrame, copies: pd.DataFrame, labels: list[str], fold: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The rows to train on, the augmented copies to train on, and the rows to validate on.

    `index` has the columns id, label, split and fold; `copies` has parent, an id in `index`. Validation is the fold
    `fold` of the train part; training is the rest of it, with the copies whose parents are in it.

    Raises InputError where there is no face to train on of one of the `labels`, or none to validate on.
    """
    part = index[index.split == "train"]
    train, validation = part[part.fold != fold], part[part.fold == fold]
    if unknown := sorted(set(part.label) - set(labels)):
        raise InputError(f"data.labels: {unknown[0]!r} is missing, yet faces show it; run the earlier stages again")
    if missing := [label for label in labels if label not in set(train.label)]:
        raise InputError(f"data.labels: no face to train on shows {missing[0]!r}; remove it, or add a data set with it")
    if validation.empty:
        raise InputError(f"split.fold: fold {fold} holds no face to validate on; choose another, or fewer split.folds")
    return train, copies[copies.parent.isin(train.id)], validation


def gather(tables: list[tuple[np.ndarray, pd.DataFrame]], labels: list[str]) -> LabelledFaces:
    """The faces that the ids of each (faces, rows) table name, one table after another, in memory."""
    pixels = np.concatenate([faces[rows.id.to_numpy()] for faces, rows in tables])
    names = pd.concat([rows.label for _, rows in tables])
    targets = pd.Index(labels).get_indexer(names)
    return LabelledFaces(torch.from_numpy(pixels), torch.from_numpy(targets.astype(np.int64)))
