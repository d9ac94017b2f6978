"""Train one architecture on all folds but one, judged by that one → data/model/; its curves → plots/training/."""

import argparse
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.base.paths import RunPaths
from stages.faces.subsets import subsets
from stages.faces.table import open_faces, read_index
from stages.models import hardware
from stages.models.preprocessing import Inputs
from stages.models.saved_model import save, sha256
from stages.params.data import Data
from stages.params.general import General
from stages.params.models import Recipe, load_recipe
from stages.params.split import Split
from stages.training import distributed
from stages.training.checkpoint import Checkpoint
from stages.training.curves import Curves
from stages.training.dataset import check, gather
from stages.training.initial_weights import starting
from stages.training.loop import Training

INDEX, COPIES = Path("data/split/index.csv"), Path("data/augmented/index.csv")


@dataclass(frozen=True)
class Run:
    """What is trained: a model's recipe, on which labels and folds, with which seed.

    `dataset` restricts training and validation to one data set, and the labels to those that it has.
    """

    model: str
    seed: int
    fold: int
    dataset: str | None
    labels: list[str]
    recipe: Recipe


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", help="in place of params.yaml's")
    options.add_argument("--seed", type=int, help="likewise")
    options.add_argument("--fold", type=int, help="the validation fold, likewise")
    options.add_argument("--dataset", metavar="NAME", help="train on this data set's faces alone, on the labels it has")
    options.add_argument("--threads", type=int, help="on the CPU; else as many as there are cores")
    options.add_argument("--to", metavar="FOLDER", help="a folder for this run alone, not the pipeline's own")
    given = options.parse_args()
    general = General.load()
    model = given.model or general.model
    run = Run(
        model=model,
        seed=general.seed if given.seed is None else given.seed,
        fold=Split.load().fold if given.fold is None else given.fold,
        dataset=given.dataset,
        labels=list(Data.load().labels),
        recipe=load_recipe(model),
    )
    hardware.deterministic(run.seed, given.threads)
    device = hardware.device()
    with distributed.joined(device):
        train(run, RunPaths.of(given.to), device)


def train(run: Run, paths: RunPaths, device: torch.device) -> None:
    recipe = run.recipe
    faces, copied_faces = open_faces(Path("data/merged/faces.npy")), open_faces(Path("data/augmented/faces.npy"))
    sources = json.loads(Path("data/merged/sources.json").read_text(encoding="utf-8"))

    chosen, copies = subsets(read_index(INDEX), run.fold, run.dataset), read_index(COPIES)
    labels = [label for label in run.labels if not run.dataset or label in set(chosen.train.label)]
    check(chosen.train, chosen.validation, labels)
    copies = copies[copies.parent.isin(chosen.train.id)]
    training_faces = gather([(faces, chosen.train), (copied_faces, copies)], labels)
    validation = gather([(faces, chosen.validation)], labels)
    inputs = Inputs.measured(training_faces.pixels, recipe.input_size or faces.shape[1])
    channels = len(inputs.mean)
    network = starting(recipe, labels, channels, inputs.size, "data/model")
    network.to(device, memory_format=torch.channels_last)
    parameters = sum(parameter.numel() for parameter in network.parameters())

    facts = {
        "recipe": recipe.model_dump(),
        "seed": run.seed,
        "fold": run.fold,
        "dataset": run.dataset,
        "labels": labels,
        "initial_weights": sha256(network),
        "inputs": asdict(inputs),  # they tell of the pixels, whatever the indexes say
        "data": {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in (INDEX, COPIES)},
        "processes": distributed.world(),
    }
    checkpoint = Checkpoint(facts | {"device": device.type})
    limit = recipe.memory_share * hardware.memory(device)
    resident = training_faces.to(device, limit), validation.to(device, limit)
    training = Training(network, inputs, *resident, len(labels), recipe, run.seed)
    if distributed.rank():  # the first process tells and writes for all
        for _ in training.epochs(checkpoint):
            pass
        return

    count = len(training_faces)
    told = f"{run.model}, {parameters:,} parameters: {count} faces to train on, {len(validation)} to validate on"
    print(told, flush=True)
    with Curves(paths.curves, recipe.tensorboard, run.model, recipe.epochs) as curves:
        for epoch in training.epochs(checkpoint):
            curves.add(epoch, count)
            if epoch.best:
                best = epoch
    print(f"kept epoch {best.number}: validation macro-F1 {best.validation['macro_f1']:.3f}")

    with atomic_output(paths.model) as folder:
        folder.mkdir()
        config = facts | {
            "architecture": recipe.arch,
            "channels": channels,
            "epoch": best.number,
            "validation": {name: round(value, 6) for name, value in best.validation.items()},
            "parameters": parameters,
            "sources": sources,
            "drawn_faces": any(source["drawn"] for source in sources.values()),
            "torch": torch.__version__,
            "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
            "precision": str(training.dtype).removeprefix("torch."),
        }
        save(folder, network, config)
    checkpoint.remove()


if __name__ == "__main__":
    guard(main)
