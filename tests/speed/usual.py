"""The speed of this project's training loop and augmentation relative to the usual ones.

    python tests/speed/usual.py DATA [ARCH] [FACES]

DATA is the data folder of a repository with the data set fer2013, whose (first FACES) training faces are used at 48×48.
The usual loop is an ImageFolder of PNG files, torchvision's transforms of the same strength on PIL images, a DataLoader
with a worker for each core, and no deterministic algorithms, which this project's loop uses; it computes in float32 and
then in the precision of this project's loop. The usual augmentation on the device is kornia's.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))
from helpers.timing import wait
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


def load(data: Path, count: int | None = None) -> LabelledFaces:
    """Return the (first `count`) faces of FER2013's official training part, on the CPU."""
    index = read_index(data / "split/index.csv")
    rows = index[(index.dataset == "fer2013") & (index.official == "train")][:count]
    faces = labelled_faces([(open_faces(data / "merged/faces.npy"), rows)], sorted(set(LABELS) & set(rows.label)))
    return faces.to(torch.device("cpu"))


def usual(
    faces: LabelledFaces, network: nn.Module, size: int, recipe: Train, folder: Path, workers: int, precision: str
) -> Callable[[], None]:
    """Return a function that trains one epoch with the usual loop."""
    device = next(network.parameters()).device
    dtype = hardware.precision(device, precision)
    for row, (pixels, target) in enumerate(zip(faces.pixels, faces.targets, strict=True)):
        path = folder / str(int(target)) / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.numpy()).save(path)
    s = recipe.strength
    transform = transforms.Compose(
        [
            transforms.Grayscale(),
            transforms.Resize(size),
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
        datasets.ImageFolder(str(folder), transform),
        recipe.batch_size,
        shuffle=True,
        num_workers=workers,
        persistent_workers=True,
        pin_memory=device.type == "cuda",
    )
    optimizer = torch.optim.AdamW(network.parameters(), recipe.lr, weight_decay=recipe.weight_decay)
    criterion = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    scaler = torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)

    def epoch() -> None:
        torch.use_deterministic_algorithms(False)
        correct = total = 0.0
        for images, targets in loader:
            images, targets = images.to(device), targets.to(device)
            optimizer.zero_grad()
            with hardware.autocast(device, dtype):
                outputs = network(images)
                error = criterion(outputs, targets)
            scaler.scale(error).backward()
            scaler.step(optimizer)
            scaler.update()
            total += error.item()
            correct += (outputs.argmax(1) == targets).sum().item()

    return epoch


def compare(faces: LabelledFaces, recipe: Train, size: int, device: torch.device, workers: int, precision: str) -> dict:
    """Return the speeds of both loops in images per second, and the ratio of ours to the usual one.

    Args:
        faces: the training faces, on the CPU.
        recipe: the recipe with the architecture.
        size: height and width of the network's input.
        device: where it is trained.
        workers: processes of the DataLoader.
        precision: of the usual loop, as in params.yaml.
    """
    recipe = recipe.model_copy(update={"epochs": ROUNDS + 1, "patience": ROUNDS + 1})
    classes = int(faces.targets.max()) + 1
    plain = build(recipe.arch, classes, 1, size, recipe.dropout).to(device)
    network = build(recipe.arch, classes, 1, size, recipe.dropout).to(device, memory_format=torch.channels_last)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        their_epoch = usual(faces, plain, size, recipe, Path(folder) / "images", workers, precision)
        few = LabelledFaces(faces.pixels[:64], faces.targets[:64]).to(device)
        training = Training(network, Inputs(size, [0.5], [0.25]), faces.to(device), few, classes, recipe, 0)
        checkpoint = Checkpoint({"benchmark": recipe.arch})
        epochs = training.epochs(checkpoint)

        def our_epoch() -> None:
            hardware.deterministic(0, device=device)
            next(epochs)

        our_time, their_time = seconds(device, our_epoch, their_epoch)
        checkpoint.remove()
    return {
        "precision": training.precision,
        "usual_precision": precision,
        "batch_size": recipe.batch_size,
        "faces": len(faces),
        "workers": workers,
        "loop_images_per_second": len(faces) / our_time,
        "usual_images_per_second": len(faces) / their_time,
        "ratio": their_time / our_time,
    }


def describe(result: dict) -> str:
    return (
        f"{result['faces']} faces, batch {result['batch_size']}, {result['precision']}: ours "
        f"{result['loop_images_per_second']:.0f} images/s, the usual loop, {result['usual_precision']}, "
        f"{result['usual_images_per_second']:.0f}, ratio {result['ratio']:.2f}"
    )


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


def seconds(device: torch.device, *functions: Callable[[], object]) -> list[float]:
    """Return the median duration of each function. They are called in turn; the first round is a warm-up."""
    times = []
    for _ in range(ROUNDS + 1):
        durations = []
        for function in functions:
            start = wait(device)
            function()
            durations.append(wait(device) - start)
        times.append(durations)
    return [statistics.median(column) for column in zip(*times[1:], strict=True)]


if __name__ == "__main__":
    data, arch = Path(sys.argv[1]), (sys.argv[2:] or ["resnet18"])[0]
    recipe, device = Train.load().model_copy(update={"arch": arch}), hardware.device()
    faces = load(data, int(sys.argv[3]) if len(sys.argv) > 3 else None)
    size = faces.pixels.shape[1]
    for precision in dict.fromkeys(
        ("float32", str(hardware.precision(device, recipe.precision)).removeprefix("torch."))
    ):
        result = compare(faces, recipe, size, device, os.cpu_count() or 1, precision)
        print(f"{arch}@{size}, {describe(result)}")

    batches = to_images(faces.pixels[: 20 * recipe.batch_size].to(device)).split(recipe.batch_size)
    kornia_augment, generator = kornia(recipe.strength), torch.Generator()

    def our_augment(images: torch.Tensor) -> torch.Tensor:
        changes = ours.draw(torch.Size([len(images)]), recipe.strength, generator)
        return ours.augment(images, size, changes.to(device))

    our_time, their_time = seconds(
        device,
        lambda: [our_augment(batch) for batch in batches],
        lambda: [kornia_augment(batch) for batch in batches],
    )
    print(f"augmentation, batches of {recipe.batch_size}: ours {their_time / our_time:.2f} times as fast as kornia's")
