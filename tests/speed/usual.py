"""The speed of this project's training loop and augmentation relative to the usual ones.

    python tests/speed/usual.py DATA [ARCH] [FACES]

DATA is the data folder of a repository with the data set fer2013, whose (first FACES) training faces are used at 48×48.
The usual loop is an ImageFolder of PNG files, torchvision's transforms of the same strength on PIL images, a DataLoader
with a worker for each core, float32, and no deterministic algorithms, which this project's loop uses. The usual
augmentation on the device is kornia's.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

sys.path.insert(0, str(Path(__file__).parents[2]))
from stages.datasets.labels import LABELS
from stages.faces.table import open_faces, read_index
from stages.models import hardware
from stages.models.networks import build
from stages.models.preprocessing import Inputs, to_images
from stages.params.train import Train
from stages.training import augmentation as ours
from stages.training.checkpoint import Checkpoint
from stages.training.dataset import LabelledFaces, labelled_faces
from stages.training.loop import Training

ROUNDS = 3
DEVICE = hardware.device()


def wait() -> float:
    """Wait for the device and return the time in seconds."""
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def load(data: Path, count: int | None) -> LabelledFaces:
    index = read_index(data / "split/index.csv")
    rows = index[(index.dataset == "fer2013") & (index.official == "train")][:count]
    faces = labelled_faces([(open_faces(data / "merged/faces.npy"), rows)], sorted(set(LABELS) & set(rows.label)))
    return faces.to(torch.device("cpu"))


def usual(faces: LabelledFaces, network: nn.Module, recipe: Train, folder: Path):
    """Return a function that trains one epoch with the usual loop."""
    for row, (pixels, target) in enumerate(zip(faces.pixels, faces.targets, strict=True)):
        path = folder / str(int(target)) / f"{row}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels.numpy()).save(path)
    s = recipe.strength
    transform = transforms.Compose(
        [
            transforms.Grayscale(),
            transforms.RandomHorizontalFlip(0.5 * min(s, 1)),
            transforms.RandomAffine(
                15 * s,
                (ours.SHIFT * s, ours.SHIFT * s),
                (np.exp(-ours.SCALE * s), np.exp(ours.SCALE * s)),
                np.degrees(np.arctan(ours.SHEAR * s)),
                transforms.InterpolationMode.BILINEAR,
            ),
            transforms.ColorJitter(ours.BRIGHTNESS * s, ours.CONTRAST * s),
            transforms.ToTensor(),
            transforms.Normalize([0.5], [0.25]),
        ]
    )
    loader = DataLoader(
        datasets.ImageFolder(folder, transform),
        recipe.batch_size,
        shuffle=True,
        num_workers=os.cpu_count(),
        persistent_workers=True,
        pin_memory=DEVICE.type == "cuda",
    )
    optimizer = torch.optim.AdamW(network.parameters(), recipe.lr, weight_decay=recipe.weight_decay)
    criterion = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)

    def epoch() -> None:
        torch.use_deterministic_algorithms(False)
        correct = total = 0.0
        for images, targets in loader:
            images, targets = images.to(DEVICE), targets.to(DEVICE)
            optimizer.zero_grad()
            outputs = network(images)
            error = criterion(outputs, targets)
            error.backward()
            optimizer.step()
            total += error.item()
            correct += (outputs.argmax(1) == targets).sum().item()

    return epoch


def kornia(strength: float) -> nn.Module:
    """Return kornia's augmentation of the same strength."""
    from kornia import augmentation as theirs  # pip install kornia

    s = strength
    return nn.Sequential(
        theirs.RandomHorizontalFlip(p=0.5 * min(s, 1)),
        theirs.RandomAffine(
            15 * s,
            (ours.SHIFT * s, ours.SHIFT * s),
            (np.exp(-ours.SCALE * s), np.exp(ours.SCALE * s)),
            np.degrees(np.arctan(ours.SHEAR * s)),
            padding_mode="border",
            p=1.0,
        ),
        theirs.RandomBrightness((1 - ours.BRIGHTNESS * s, 1 + ours.BRIGHTNESS * s), p=1.0),
        theirs.RandomContrast((1 - ours.CONTRAST * s, 1 + ours.CONTRAST * s), p=1.0),
    )


def seconds(*functions) -> list[float]:
    """Return the median duration of each function. They are called in turn; the first round is a warm-up."""
    times = []
    for _ in range(ROUNDS + 1):
        durations = []
        for function in functions:
            start = wait()
            function()
            durations.append(wait() - start)
        times.append(durations)
    return [statistics.median(column) for column in zip(*times[1:], strict=True)]


data, arch = Path(sys.argv[1]), (sys.argv[2:] or ["resnet18"])[0]
recipe = Train.load().model_copy(update={"arch": arch, "epochs": ROUNDS + 1, "patience": ROUNDS + 1})
faces = load(data, int(sys.argv[3]) if len(sys.argv) > 3 else None)
classes, size = int(faces.targets.max()) + 1, faces.pixels.shape[1]
inputs = Inputs(size, [0.5], [0.25])
plain = build(arch, classes, 1, size, None).to(DEVICE)
network = build(arch, classes, 1, size, None).to(DEVICE, memory_format=torch.channels_last)
with tempfile.TemporaryDirectory() as folder:
    os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
    images_folder = Path(folder) / "images"
    images_folder.mkdir()
    their_epoch = usual(faces, plain, recipe, images_folder)
    few = LabelledFaces(faces.pixels[:64], faces.targets[:64]).to(DEVICE)
    training = Training(network, inputs, faces.to(DEVICE), few, classes, recipe, 0)
    epochs = training.epochs(Checkpoint({"benchmark": arch}))

    def our_epoch() -> None:
        hardware.deterministic(0)
        next(epochs)

    our_time, their_time = seconds(our_epoch, their_epoch)
print(
    f"{arch}@{size}, {len(faces)} faces, {DEVICE.type}: ours {len(faces) / our_time:.0f} images/s, "
    f"the usual loop {len(faces) / their_time:.0f}, ratio {their_time / our_time:.2f}"
)

batches = to_images(faces.pixels[: 20 * recipe.batch_size].to(DEVICE)).split(recipe.batch_size)
generator, kornia_augment = torch.Generator(DEVICE), kornia(recipe.strength)
our_time, their_time = seconds(
    lambda: [ours.augment(batch, size, recipe.strength, generator) for batch in batches],
    lambda: [kornia_augment(batch) for batch in batches],
)
print(f"augmentation, batches of {recipe.batch_size}: ours {their_time / our_time:.2f} times as fast as kornia's")
