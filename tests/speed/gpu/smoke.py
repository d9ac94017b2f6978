"""Whether trainings are exact, and whether the host ever waits for the device within an epoch."""

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from functools import partial

import torch

from speed.gpu.setting import Setting
from speed.loop import CLASSES, noise
from stages.base.errors import one_line
from stages.models import hardware, saved_model
from stages.models.networks import build
from stages.models.preprocessing import Inputs
from stages.params.models import Recipe
from stages.training.checkpoint import Checkpoint
from stages.training.dataset import LabelledFaces
from stages.training.loop import Training

BATCHES, EPOCHS = 4, 2
STOP = 7  # the checkpoint after which a training is stopped, in its second epoch
RANDOM = {"erasing": 0.2, "mixup": 0.2, "ema": 0.9}  # all that draws random numbers, and all that has a state
EXACT = {"epochs": EPOCHS, "patience": EPOCHS, **RANDOM}
PRECISIONS = ("float32", "bfloat16", "float16")


class StopError(Exception):
    """The training was stopped."""


class StoppingCheckpoint(Checkpoint):
    """A checkpoint that stops its training after some states were saved."""

    states = 0

    def save(self, state: dict) -> None:
        super().save(state)
        self.states += 1
        if self.states == STOP:
            self.wait()
            raise StopError


class NoCheckpoint(Checkpoint):
    """Saves nothing: while a checkpoint is written beside the training, its thread waits for the GPU."""

    def save(self, state: dict) -> None:
        pass


@dataclass(frozen=True)
class WatchedFaces(LabelledFaces):
    """Training faces with which the training fails if the host waits for the GPU between the first and the last step.

    The first epoch is not watched: how gradients are computed is measured in it.
    """

    epochs: list[None] = field(default_factory=list)

    def read(self, positions: torch.Tensor, count: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        self.epochs.append(None)
        try:
            for chunk in super().read(positions, count):
                if len(self.epochs) > 1:
                    torch.cuda.set_sync_debug_mode("error")
                yield chunk
        finally:
            if len(self.epochs) > 1:
                torch.cuda.set_sync_debug_mode("default")


def cells(setting: Setting) -> Iterator[tuple[str, Callable[[], dict]]]:
    for name, recipe, size in setting.recipes():
        for precision in PRECISIONS:
            exact = recipe.model_copy(update={"precision": precision, **EXACT})
            yield f"{name} {precision}", partial(cell, exact, size, setting.device)


def cell(recipe: Recipe, size: int, device: torch.device) -> dict:
    """Return the hash of the weights, and "ok" or what is wrong for each check; "error" has all that is wrong."""
    printed = io.StringIO()  # how gradients are computed
    with redirect_stderr(printed):
        weights, _ = train(recipe, size, device)
    checks = {"repeat": partial(repeat, weights, recipe, size, device)}
    checks["resume"] = partial(resume, weights, recipe, size, device)
    if device.type == "cuda":
        checks["sync"] = partial(watch, recipe, size, device)
    with redirect_stderr(io.StringIO()):  # no terminal shows the loss, for which the host would wait
        outcomes = {name: outcome(check) for name, check in checks.items()}
    wrong = [f"{name}: {line}" for name, line in outcomes.items() if line != "ok"]
    result = {"sha256": weights, "printed": printed.getvalue().strip(), **outcomes}
    return result | {"error": "; ".join(wrong)} if wrong else result


def outcome(check: Callable[[], object]) -> str:
    try:
        check()
    except Exception as error:
        return one_line(f"{type(error).__name__}: {error}")[:200]
    return "ok"


def repeat(weights: str, recipe: Recipe, size: int, device: torch.device) -> None:
    again, _ = train(recipe, size, device)
    assert again == weights, "the second run has other weights"


def resume(weights: str, recipe: Recipe, size: int, device: torch.device) -> None:
    often = recipe.model_copy(update={"checkpoint_minutes": 1e-9})  # after every step
    with tempfile.TemporaryDirectory() as folder:
        try:
            train(often, size, device, StoppingCheckpoint, folder=folder)
        except StopError:
            again, first_step = train(recipe, size, device, folder=folder)
            assert BATCHES < first_step < EPOCHS * BATCHES, f"the training went on from step {first_step}"
            assert again == weights, "the resumed run has other weights"
            return
    raise AssertionError("the training was not stopped")


def watch(recipe: Recipe, size: int, device: torch.device) -> None:
    try:
        train(recipe, size, device, NoCheckpoint, WatchedFaces)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def train(
    recipe: Recipe,
    size: int,
    device: torch.device,
    kind: type[Checkpoint] = Checkpoint,
    faces_kind: type[LabelledFaces] = LabelledFaces,
    folder: str | None = None,
) -> tuple[str, int]:
    """Train a network with random faces; return a hash of its last and its best weights, and the first step.

    Args:
        recipe: the recipe.
        size: height and width of the network's input.
        device: where it is trained.
        kind: how checkpoints are saved.
        faces_kind: how training faces are read.
        folder: where checkpoints are, from which the training goes on; None for a new folder.
    """
    with tempfile.TemporaryDirectory() as empty:
        os.environ["XDG_CACHE_HOME"] = folder or empty
        hardware.deterministic(0, device=device)
        network = build(recipe.arch, CLASSES, 1, size, recipe.dropout).to(device, memory_format=torch.channels_last)
        faces, validation = noise(BATCHES * recipe.batch_size, device), noise(recipe.batch_size, device)
        faces = faces_kind(faces.pixels, faces.targets)
        training = Training(network, Inputs(size, [0.5], [0.25]), faces, validation, CLASSES, recipe, seed=0)
        checkpoint = kind({"benchmark": recipe.arch}, training.computation)
        training.restore(checkpoint)
        first_step, last = training.step, ""
        for _ in training.epochs(checkpoint):
            last = saved_model.sha256(network)
        checkpoint.wait()
        return hashlib.sha256((last + saved_model.sha256(network)).encode()).hexdigest(), first_step
