"""What is trained, and where."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from stages.params.data import Data
from stages.params.models import Recipe, load_recipe
from stages.training.gpu_batch import for_device


@dataclass(frozen=True)
class Setting:
    """The options of all measurements.

    Attributes:
        device: where it is trained.
        architectures: their names.
        project: a repository with FER2013, or None.
        seeds: number of trainings of `fer`.
        rehearse: whether all is tiny.
    """

    device: torch.device
    architectures: list[str]
    project: Path | None
    seeds: int
    rehearse: bool

    def recipes(self) -> Iterator[tuple[str, Recipe, int]]:
        """Yield the name of each architecture with its input size, its recipe on this device, and this size."""
        for arch in self.architectures:
            recipe = for_device(load_recipe(arch), self.device)
            size = Data.load().size if self.rehearse else recipe.input_size or Data.load().size
            yield f"{arch}@{size}", recipe.model_copy(update={"batch_size": 8} if self.rehearse else {}), size
