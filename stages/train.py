"""Train a model on all folds but one, which validates it → data/model/, metrics/training.json, plots/training/.

    python -m stages.train [--model NAME] [--seed N] [--fold N] [--dataset NAME] [--threads N] [--to FOLDER]

Options replace values of params.yaml. An interrupted training continues from its last checkpoint.
"""

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.base.files import read_json, sha256, write_json
from stages.base.paths import RunPaths
from stages.faces.subsets import subsets
from stages.faces.table import open_faces, read_index
from stages.models import hardware, saved_model
from stages.models.preprocessing import Inputs
from stages.params.data import Data
from stages.params.general import General
from stages.params.models import Recipe, load_recipe
from stages.params.split import Split
from stages.training import distributed
from stages.training.checkpoint import Checkpoint
from stages.training.code_version import code_version
from stages.training.curves import Curves
from stages.training.dataset import LabelledFaces, check_subsets, labelled_faces
from stages.training.initial_weights import initial_network
from stages.training.loop import Training
from stages.training.progress import print_epoch, print_resumed, print_start, stoppable

INDEX, COPIES = Path("data/split/index.csv"), Path("data/augmented/index.csv")


@dataclass(frozen=True)
class Run:
    """What to train.

    Attributes:
        model: name of the model in params.yaml.
        seed: seed of all random numbers.
        fold: the validation fold.
        dataset: the only data set to train and validate on; None for all of them.
        labels: the labels in params.yaml.
        recipe: the training recipe.
    """

    model: str
    seed: int
    fold: int
    dataset: str | None
    labels: list[str]
    recipe: Recipe


def main() -> None:
    """Run the stage."""
    options = argparse.ArgumentParser("python -m stages.train", description=__doc__.splitlines()[0])
    options.add_argument("--model", help="model to train; default: `model` in params.yaml")
    options.add_argument("--seed", type=int, help="seed of the run; default: `seed` in params.yaml")
    options.add_argument("--fold", type=int, help="validation fold; default: `split.fold` in params.yaml")
    options.add_argument("--dataset", metavar="NAME", help="only data set to train on; default: all of them")
    options.add_argument("--threads", type=int, help="CPU threads; default: one for each core")
    options.add_argument("--to", metavar="FOLDER", help="folder of this run's outputs; default: the main pipeline's")
    arguments = options.parse_args()
    general = General.load()
    model = arguments.model or general.model
    run = Run(
        model=model,
        seed=general.seed if arguments.seed is None else arguments.seed,
        fold=Split.load().fold if arguments.fold is None else arguments.fold,
        dataset=arguments.dataset,
        labels=list(Data.load().labels),
        recipe=load_recipe(model),
    )
    hardware.deterministic(run.seed, arguments.threads)
    device = hardware.device()
    with distributed.process_group(device):
        train(run, RunPaths.of(arguments.to), device)


def train(run: Run, paths: RunPaths, device: torch.device) -> None:
    """Train the model of a run and write its outputs."""
    recipe = run.recipe
    labels, faces, validation_faces = _select_faces(run)
    inputs = Inputs.fit(faces.pixels, recipe.input_size or faces.pixels.shape[1])
    channels = len(inputs.mean)
    network = initial_network(recipe, labels, channels, inputs.size, "data/model")
    network.to(device).to(memory_format=torch.channels_last)
    config: dict[str, Any] = {
        "recipe": recipe.model_dump(),
        "seed": run.seed,
        "fold": run.fold,
        "dataset": run.dataset,
        "labels": labels,
        "initial_weights": saved_model.sha256(network),
        "inputs": asdict(inputs),  # stands for the pixels, which the indexes do not identify
        "data": {str(path): sha256(path) for path in (INDEX, COPIES)},
        "processes": distributed.world_size(),
        "code": code_version(),
    }
    checkpoint = Checkpoint(config | {"device": device.type})
    limit = recipe.memory_share * hardware.total_memory(device)
    faces, validation_faces = faces.to(device, limit), validation_faces.to(device, limit)
    training = Training(network, inputs, faces, validation_faces, len(labels), recipe, run.seed)
    training.restore(checkpoint)
    with stoppable(training, checkpoint):
        if distributed.rank():  # only the first process prints and writes
            for _ in training.epochs(checkpoint):
                pass
            return
        print_start(run.model, training)
        print_resumed(training)
        with Curves(paths.curves, recipe.tensorboard, run.model) as curves:
            for epoch in training.history:
                curves.log(epoch, len(faces))
            for epoch in training.epochs(checkpoint):
                curves.log(epoch, len(faces))
                print_epoch(epoch, training)

    best, sources = training.best_epoch, read_json(Path("data/merged/sources.json"))
    print(f"best epoch {best.number}: validation macro-F1 {best.validation['macro_f1']:.3f}")
    config |= {
        "architecture": recipe.arch,
        "channels": channels,
        "epoch": best.number,
        "validation": {name: round(value, 6) for name, value in best.validation.items()},
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "sources": sources,
        "drawn_faces": any(source["drawn"] for source in sources.values()),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "precision": training.precision,
    }
    with atomic_output(paths.model) as folder:
        folder.mkdir()
        saved_model.save(folder, network, config)
    write_json(
        {
            "device": hardware.device_name(device),
            "precision": training.precision,
            "processes": distributed.world_size(),
            "seconds": round(training.seconds, 1),
            "faces_per_second": round(training.faces_per_second, 1),
            "torch": torch.__version__,
        },
        paths.training,
    )
    checkpoint.remove()


def _select_faces(run: Run) -> tuple[list[str], LabelledFaces, LabelledFaces]:
    """Return the labels of a run, its training faces with their balancing copies, and its validation faces."""
    faces, copied_faces = open_faces(Path("data/merged/faces.npy")), open_faces(Path("data/augmented/faces.npy"))
    chosen, copies = subsets(read_index(INDEX), run.fold, run.dataset), read_index(COPIES)
    labels = [label for label in run.labels if not run.dataset or label in set(chosen.train.label)]
    check_subsets(chosen.train, chosen.validation, labels)
    copies = copies[copies.parent.isin(chosen.train.id)]
    training_faces = labelled_faces([(faces, chosen.train), (copied_faces, copies)], labels)
    return labels, training_faces, labelled_faces([(faces, chosen.validation)], labels)


if __name__ == "__main__":
    guard(main)
