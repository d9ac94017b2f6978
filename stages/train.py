"""Train a model on all folds but those that validate it → data/model/, metrics/training.json, plots/training/.

    python -m stages.train [--model NAME] [--seed N] [--fold N] [--ranked] [--dataset NAME] [--threads N] [--to FOLDER]

Options replace values of params.yaml. An interrupted training continues from its last checkpoint.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.base.files import read_json, sha256, write_json
from stages.base.paths import RunPaths
from stages.faces.table import SPLIT_COLUMNS, open_faces, read_index, write_index
from stages.models import hardware, saved_model
from stages.models.config import HASHES
from stages.models.preprocessing import Inputs
from stages.sources.provenance import Sources
from stages.training import distributed
from stages.training.checkpoint import Checkpoint
from stages.training.dataset import select_faces
from stages.training.determinism import check_deterministic
from stages.training.distillation import load_teachers, probabilities
from stages.training.facts import determining_facts, final_facts, initial_facts, speed_facts
from stages.training.gpu_batch import for_device
from stages.training.initial_weights import expected_inputs, initial_network
from stages.training.loop import Training
from stages.training.progress import run_epochs
from stages.training.run import Run, parse_run
from stages.training.seen_faces import COLUMNS, seen_before, seen_faces

FACES, INDEX = Path("data/merged/faces.npy"), Path("data/split/index.csv")
COPIED_FACES, COPIES = Path("data/augmented/faces.npy"), Path("data/augmented/index.csv")
REMOVED = Path("data/split/removed.csv")


def main() -> None:
    """Train the run that the command line and params.yaml describe."""
    run = parse_run(__doc__)
    device = hardware.device()
    hardware.deterministic(run.seed, run.threads, device)
    with distributed.process_group(device):
        train(run, RunPaths.of(run.folder), device)


def train(run: Run, paths: RunPaths, device: torch.device) -> None:
    """Train the model of a run and write its outputs."""
    all_faces, copies = open_faces(FACES), open_faces(COPIED_FACES)
    index, copied = read_index(INDEX, *SPLIT_COLUMNS, *COLUMNS), read_index(COPIES, "parent", "label", "fold")
    labels, faces, validation = select_faces(run, all_faces, copies, index, copied)
    run = replace(run, recipe=(recipe := for_device(run.recipe, device, len(faces))))
    size = recipe.input_size or faces.pixels.shape[1]
    inputs = Inputs.fit(faces.pixels, size, per_face=recipe.normalise == "face")
    channels = len(inputs.mean)
    network, seen_by_start = initial_network(recipe, labels, channels, inputs.size, "data/model")
    teachers, seen_by_teachers = load_teachers(recipe, labels, channels, "data/model")
    seen = {f"train.init: {recipe.init}": seen_by_start, **seen_by_teachers}
    inputs = expected_inputs(recipe, network, inputs)
    network.to(device).to(memory_format=torch.channels_last)
    check_deterministic(network, inputs, recipe)
    hashes = {str(path): sha256(path) for path in (FACES, INDEX, COPIED_FACES, COPIES)}
    every = pd.concat([index, read_index(REMOVED, *SPLIT_COLUMNS, *COLUMNS)], ignore_index=True)
    counts = seen_before(run, every, seen)
    teacher_hashes = [config[HASHES] for _, config in teachers]
    facts = initial_facts(run, labels, network, inputs, hashes, counts, teacher_hashes)
    limit = recipe.memory_share * hardware.total_memory(device)
    faces = faces.to(device, limit)
    validation = validation.to(device, limit - faces.resident_bytes)
    taught = probabilities(teachers, labels, faces.pixels, device) if teachers else None
    training = Training(network, inputs, faces, validation, len(labels), recipe, run.seed, taught)
    checkpoint = Checkpoint(determining_facts(facts), training.computation)
    training.restore(checkpoint)
    run_epochs(training, checkpoint, paths.curves, run.name)
    if distributed.rank():  # only the first process prints and writes
        return

    best = training.best_epoch
    print(f"best epoch {best.number}: validation macro-F1 {best.validation['macro_f1']:.3f}")
    facts |= final_facts(training, recipe.arch, read_json(Path("data/merged/sources.json"), Sources))
    with atomic_output(paths.model) as folder:
        folder.mkdir()
        write_index(seen_faces(run, index, seen), folder / saved_model.TRAINED_ON)
        saved_model.save(folder, network, facts)
    write_json(speed_facts(training), paths.training)
    checkpoint.remove()


if __name__ == "__main__":
    guard(main)
