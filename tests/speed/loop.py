"""The overhead of the training loop: speed of whole epochs relative to forward pass, backward pass and step alone.

    python tests/speed/loop.py [ARCH@SIZE ...]

Both are measured in turn in one process, on the GPU if there is one, with the recipe of params.yaml and random faces.
An epoch includes sampling, augmentation, the optimiser, metrics, curves, the checkpoint, and one validation batch.
"""

import os
import statistics
import sys
import tempfile
from copy import deepcopy
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))
from helpers.timing import wait
from stages.benchmark.profiling import training_step
from stages.models import hardware
from stages.models.networks import build
from stages.models.preprocessing import Inputs
from stages.params.train import Train
from stages.training.checkpoint import Checkpoint
from stages.training.curves import Curves
from stages.training.dataset import LabelledFaces
from stages.training.loop import Training

CLASSES, SIDE = 7, 48


def noise(count: int, device: torch.device) -> LabelledFaces:
    """Return random faces on the device."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, SIDE, SIDE), dtype=torch.uint8, generator=generator)
    return LabelledFaces(pixels, torch.arange(count) % CLASSES).to(device)


def compare(recipe: Train, size: int, device: torch.device, batches: int = 100, rounds: int = 5) -> dict:
    """Return both speeds and the median of their ratios in all rounds.

    Args:
        recipe: the recipe with the architecture.
        size: height and width of the network's input.
        device: where it is trained.
        batches: batches in an epoch.
        rounds: pairs of an epoch and as many steps of the network alone.
    """
    recipe = recipe.model_copy(update={"epochs": rounds + 1, "patience": rounds + 1})
    batch, inputs = recipe.batch_size, Inputs(size, [0.5], [0.25])
    hardware.deterministic(0, device=device)
    network = build(recipe.arch, CLASSES, 1, size, recipe.dropout).to(device, memory_format=torch.channels_last)
    alone = deepcopy(network)
    training = Training(network, inputs, noise(batches * batch, device), noise(batch, device), CLASSES, recipe, seed=0)
    step = training_step(alone, inputs, training.train.pixels[:batch], CLASSES, recipe)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        checkpoint, pairs = Checkpoint({"benchmark": recipe.arch}), []
        with Curves(Path(folder) / "curves", None, recipe.arch) as curves:
            epochs = training.epochs(checkpoint)
            curves.log(next(epochs), len(training.train))  # the first epoch is slow, and so is the first step
            step()
            for _ in range(rounds):
                start = wait(device)
                curves.log(next(epochs), len(training.train))
                epoch = wait(device) - start
                start = wait(device)
                for _ in range(batches):
                    step()
                pairs.append((epoch, wait(device) - start))
        checkpoint.remove()
    epoch, alone = (batches * batch / statistics.median(times) for times in zip(*pairs, strict=True))
    return {
        "precision": training.precision,
        "batch_size": batch,
        "loop_images_per_second": epoch,
        "network_images_per_second": alone,
        "ratio": statistics.median(alone / epoch for epoch, alone in pairs),
    }


def describe(result: dict) -> str:
    return (
        f"batch {result['batch_size']}, {result['precision']}: {result['loop_images_per_second']:.0f} images/s, "
        f"the network alone {result['network_images_per_second']:.0f}, ratio {result['ratio']:.3f}"
    )


if __name__ == "__main__":
    recipe, device = Train.load(), hardware.device()
    for item in sys.argv[1:] or ["cnn5@48", "resnet18@48", "googlenet@96"]:
        arch, size = item.split("@")
        print(f"{item}, {describe(compare(recipe.model_copy(update={'arch': arch}), int(size), device))}")
