"""The overhead of the training loop: speed of whole epochs relative to forward pass, backward pass and step alone.

    python tests/speed/loop.py [ARCH@SIZE ...]

Both are measured in turn in one process, on the GPU if there is one, with the recipe of params.yaml and random faces.
An epoch includes sampling, augmentation, the optimiser, metrics, curves, the checkpoint, and one validation batch.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))
from stages.models import hardware
from stages.models.hardware import autocast
from stages.models.networks import build
from stages.models.preprocessing import Inputs
from stages.params.train import Train
from stages.training.checkpoint import Checkpoint
from stages.training.curves import Curves
from stages.training.dataset import LabelledFaces
from stages.training.loop import Training
from stages.training.objective import loss

CLASSES, SIDE, BATCHES, ROUNDS = 7, 48, 100, 5
DEVICE = hardware.device()


def noise(count: int) -> LabelledFaces:
    """Return random faces on the device."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, SIDE, SIDE), dtype=torch.uint8, generator=generator)
    return LabelledFaces(pixels, torch.arange(count) % CLASSES).to(DEVICE)


def wait() -> float:
    """Wait for the device and return the time in seconds."""
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def compare(arch: str, size: int, folder: Path) -> None:
    """Print both speeds and their ratio for one architecture."""
    recipe = Train.load().model_copy(update={"arch": arch, "epochs": ROUNDS + 1, "patience": ROUNDS + 1})
    batch, inputs = recipe.batch_size, Inputs(size, [0.5], [0.25])
    hardware.deterministic(0)
    network = build(arch, CLASSES, 1, size, None).to(DEVICE, memory_format=torch.channels_last)
    training = Training(network, inputs, noise(BATCHES * batch), noise(batch), CLASSES, recipe, seed=0)
    images = inputs(training.train.pixels[:batch])
    targets = torch.nn.functional.one_hot(training.train.targets[:batch], CLASSES).float()

    def step() -> None:
        training.optimizer.zero_grad()
        with autocast(DEVICE, training.dtype):
            outputs = training.forward(images).float()
        training.scaler.scale(loss(outputs, targets)).backward()
        training.scaler.step(training.optimizer)
        training.scaler.update()

    checkpoint, pairs = Checkpoint({"benchmark": arch}), []
    with Curves(folder / arch.replace("/", "-"), None, arch) as curves:
        epochs = training.epochs(checkpoint)
        curves.log(next(epochs), len(training.train))  # the first epoch is slow
        for _ in range(ROUNDS):
            start = wait()
            curves.log(next(epochs), len(training.train))
            epoch = wait() - start
            network.train()
            start = wait()
            for _ in range(BATCHES):
                step()
            pairs.append((epoch, wait() - start))
    checkpoint.remove()
    ratio = statistics.median(alone / epoch for epoch, alone in pairs)
    epoch, alone = (BATCHES * batch / statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"{arch}@{size}, {training.dtype}: {epoch:.0f} images/s, the network alone {alone:.0f}, ratio {ratio:.3f}")


with tempfile.TemporaryDirectory() as folder:
    os.environ["XDG_CACHE_HOME"] = folder
    for item in sys.argv[1:] or ["cnn5@48", "resnet18@48", "googlenet@96"]:
        arch, size = item.split("@")
        compare(arch, int(size), Path(folder))
