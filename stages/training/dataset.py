"""The faces of a training: kept on the device, or read from disk while training runs."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stages.base.errors import InputError
from stages.faces.subsets import subsets
from stages.faces.table import Selection
from stages.training.run import Run

PREFETCHED = 2  # parts that are read in advance
BLOCK = 4096  # faces that are copied to the device at once


@dataclass(frozen=True)
class LabelledFaces:
    """Faces with their classes.

    Attributes:
        pixels: uint8, N×H×W or N×H×W×3: a tensor on the device of the targets, or a selection of faces on disk.
        targets: classes, int64, N: positions in the list of labels.
    """

    pixels: Tensor | Selection
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def streamed(self) -> bool:
        """Whether the pixels are on disk."""
        return isinstance(self.pixels, Selection)

    @property
    def resident_bytes(self) -> int:
        """The size of the pixels in memory: 0 if they are on disk."""
        return 0 if self.streamed else math.prod(self.pixels.shape)

    def to(self, device: torch.device, limit: float = math.inf) -> "LabelledFaces":
        """Return the same faces with their targets on `device`, and their pixels too if these fit in `limit` bytes."""
        pixels = self.pixels
        if isinstance(pixels, Tensor):
            return LabelledFaces(pixels.to(device), self.targets.to(device))
        if math.prod(pixels.shape) > limit:
            return LabelledFaces(pixels, self.targets.to(device))
        copied = torch.empty(pixels.shape, dtype=torch.uint8, device=device)
        for start in range(0, len(self), BLOCK):
            copied[start : start + BLOCK] = torch.from_numpy(pixels[start : start + BLOCK])
        return LabelledFaces(copied, self.targets.to(device))

    def every(self, step: int, start: int) -> Tensor | Selection:
        """Return the pixels of every `step`-th face, from position `start` on."""
        return self.pixels.every(step, start) if isinstance(self.pixels, Selection) else self.pixels[start::step]

    def read(self, positions: Tensor, count: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the pixels and the targets of `count` faces after another, on the device of the targets.

        Faces on disk are read in advance, in a thread of their own.

        Args:
            positions: positions of faces, int64, N, on the CPU.
            count: faces that are read at once; the last ones can be fewer.

        Yields:
            Pixels, uint8, count×H×W or count×H×W×3, and targets, int64, count.
        """
        if isinstance(self.pixels, Selection):
            yield from self._stream(self.pixels, positions.split(count))
            return
        for rows in positions.to(self.targets.device).split(count):
            yield self.pixels[rows], self.targets[rows]

    def _stream(self, selection: Selection, parts: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        device = self.targets.device

        def read(rows: Tensor) -> tuple[Tensor, Tensor]:
            pixels = torch.from_numpy(selection[rows.numpy()])
            if device.type == "cuda":
                pixels, rows = pixels.pin_memory(), rows.pin_memory()
            return pixels.to(device, non_blocking=True), self.targets[rows.to(device, non_blocking=True)]

        with ThreadPoolExecutor(1) as reader:
            pending: deque[Future[tuple[Tensor, Tensor]]] = deque()
            for rows in parts:
                pending.append(reader.submit(read, rows))
                if len(pending) > PREFETCHED:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()


def check_subsets(train: pd.DataFrame, validation: pd.DataFrame, labels: list[str]) -> None:
    """Raise InputError if a subset is empty, there is one label only, or the labels are not those of the faces.

    Args:
        train: index rows of the training faces.
        validation: index rows of the validation faces.
        labels: the labels to be learned.
    """
    if train.empty:
        raise InputError("split.fold: no training face is left; choose another data set or fold")
    if unknown := sorted({*train.label, *validation.label} - set(labels)):
        raise InputError(
            f"data.labels: {unknown[0]!r} is missing, but some faces have this label; run the earlier stages again"
        )
    if len(labels) < 2:
        raise InputError(f"data.labels: all training faces have the label {labels[0]!r}; a model needs two labels")
    if missing := [label for label in labels if label not in set(train.label)]:
        raise InputError(
            f"data.labels: no training face has the label {missing[0]!r}; remove the label, or add a data set with it"
        )
    if validation.empty:
        raise InputError("split.fold: no validation face is left; choose another fold, or fewer split.folds")


def labelled_faces(tables: list[tuple[np.ndarray, pd.DataFrame]], labels: list[str]) -> LabelledFaces:
    """Return faces of several tables, one table after another. Their pixels stay on disk.

    Args:
        tables: pairs of faces, uint8, N×H×W or N×H×W×3, and index rows with the columns `id` and `label`.
        labels: the labels; their order defines the classes.
    """
    pixels = Selection(*((faces, rows.id.to_numpy()) for faces, rows in tables))
    names = pd.concat([rows.label for _, rows in tables])
    targets = pd.Index(labels).get_indexer(names)
    return LabelledFaces(pixels, torch.from_numpy(targets.astype(np.int64)))


def select_faces(
    run: Run, faces: np.ndarray, copied_faces: np.ndarray, index: pd.DataFrame, copies: pd.DataFrame
) -> tuple[list[str], LabelledFaces, LabelledFaces]:
    """Return the labels of a run, its training faces with their balancing copies, and its validation faces.

    Args:
        run: what is trained.
        faces: all faces, uint8, N×H×W or N×H×W×3.
        copied_faces: the copies, of the same shape but for their number.
        index: the index that split wrote.
        copies: the index of the copies.

    Raises:
        InputError: a subset is empty, or a label has no training face.
    """
    chosen = subsets(index, run.fold, run.dataset, run.validation_folds, run.ranked)
    labels = [label for label in run.labels if not run.dataset or label in set(chosen.train.label)]
    check_subsets(chosen.train, chosen.validation, labels)
    copies = copies[copies.parent.isin(chosen.train.id)]
    training_faces = labelled_faces([(faces, chosen.train), (copied_faces, copies)], labels)
    return labels, training_faces, labelled_faces([(faces, chosen.validation)], labels)
