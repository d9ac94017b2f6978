"""The faces that a network learns from, and those that its training is judged by."""

import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stages.base.errors import InputError
from stages.faces.table import Selection

AHEAD = 4  # batches that are read while one is computed on
BLOCK = 4096  # faces that are read at once


@dataclass(frozen=True)
class LabelledFaces:
    """Faces with their classes: `pixels` is uint8 N×H×W or N×H×W×3, `targets` int64 N, positions in the labels.

    Pixels are a tensor on the device of the targets or, where they are `streamed`, still on disk.
    """

    pixels: Tensor | Selection
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def streamed(self) -> bool:
        return isinstance(self.pixels, Selection)

    def to(self, device: torch.device, limit: float = math.inf) -> "LabelledFaces":
        """The same faces on `device`; on disk as before if they take more than `limit` bytes."""
        pixels = self.pixels
        if not self.streamed:
            pixels = pixels.to(device)
        elif math.prod(pixels.shape) <= limit:
            pixels = torch.empty(pixels.shape, dtype=torch.uint8, device=device)
            for start in range(0, len(self), BLOCK):
                pixels[start : start + BLOCK] = torch.from_numpy(self.pixels[start : start + BLOCK])
        return LabelledFaces(pixels, self.targets.to(device))

    def every(self, step: int, start: int) -> Tensor | Selection:
        """The pixels of each `step`-th face from the position `start` on."""
        return self.pixels.every(step, start) if self.streamed else self.pixels[start::step]

    def take(self, batches: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """The pixels and the targets of each of `batches`, int64 N×…×B on the CPU; on the device of the targets.

        Streamed faces are read ahead, while the batch before is computed on.
        """
        device = self.targets.device
        if not self.streamed:
            for rows in batches.to(device):
                yield self.pixels[rows], self.targets[rows]
            return

        def read(rows: Tensor) -> tuple[Tensor, Tensor]:
            pixels = torch.from_numpy(self.pixels[rows.flatten().numpy()]).unflatten(0, rows.shape)
            if device.type == "cuda":
                pixels, rows = pixels.pin_memory(), rows.pin_memory()
            return pixels.to(device, non_blocking=True), self.targets[rows.to(device, non_blocking=True)]

        with ThreadPoolExecutor(1) as reader:
            ahead = deque()
            for rows in batches:
                ahead.append(reader.submit(read, rows))
                if len(ahead) > AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()


def check(train: pd.DataFrame, validation: pd.DataFrame, labels: list[str]) -> None:
    """Raise InputError where no face to train on shows one of the `labels`, one shows another, or none validates."""
    if train.empty:
        raise InputError("split.fold: no face is left to train on; choose another data set or fold")
    if unknown := sorted({*train.label, *validation.label} - set(labels)):
        raise InputError(f"data.labels: {unknown[0]!r} is missing, yet faces show it; run the earlier stages again")
    if missing := [label for label in labels if label not in set(train.label)]:
        raise InputError(f"data.labels: no face to train on shows {missing[0]!r}; remove it, or add a data set with it")
    if validation.empty:
        raise InputError("split.fold: no face is left to validate on; choose another fold, or fewer split.folds")


def gather(tables: list[tuple[np.ndarray, pd.DataFrame]], labels: list[str]) -> LabelledFaces:
    """The faces that the ids of each (faces, rows) table name, one table after another, on disk still."""
    pixels = Selection(*((faces, rows.id.to_numpy()) for faces, rows in tables))
    names = pd.concat([rows.label for _, rows in tables])
    targets = pd.Index(labels).get_indexer(names)
    return LabelledFaces(pixels, torch.from_numpy(targets.astype(np.int64)))
