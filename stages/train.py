"""Train one architecture on all folds but one, judged by that one → data/model/; its curves → plots/training/."""

import hashlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch
from dvclive import Live
from tqdm import tqdm

from stages.base import params
from stages.base.errors import guard
from stages.base.whole import whole
from stages.models import build, hardware
from stages.models.folder import save
from stages.models.inputs import Inputs
from stages.table import open_faces, read_index
from stages.training.faces import gather, select
from stages.training.loop import Epoch, fit

INDEX, COPIES = Path("data/split/index.csv"), Path("data/augmented/index.csv")


def main() -> None:
    p = params.load()
    labels, recipe = p.data.labels, p.recipe
    faces, copied_faces = open_faces(Path("data/merged/faces.npy")), open_faces(Path("data/augmented/faces.npy"))
    sources = json.loads(Path("data/merged/sources.json").read_text(encoding="utf-8"))

    hardware.deterministic(p.seed)
    device = hardware.device()
    train_rows, copies, validation_rows = select(read_index(INDEX), read_index(COPIES), labels, p.split.fold)
    train = gather([(faces, train_rows), (copied_faces, copies)], labels)
    validation = gather([(faces, validation_rows)], labels)
    inputs = Inputs.measured(train.pixels.numpy(), recipe.input_size or faces.shape[1])
    channels = len(inputs.mean)
    network = build(p.model, len(labels), channels, inputs.size, recipe.dropout)
    network.to(device, memory_format=torch.channels_last)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    print(f"{p.model}, {parameters:,} parameters: {len(train)} faces to train on, {len(validation)} to validate on")

    with Live("plots/training", save_dvc_exp=False, dvcyaml=None, report=None) as live:
        for epoch in fit(network, inputs, train.to(device), validation.to(device), recipe, p.seed):
            log(live, epoch, recipe.epochs)
            if epoch.best:
                best = epoch
    print(f"kept epoch {best.number}: validation macro-F1 {best.validation['macro_f1']:.3f}")

    with whole(Path("data/model")) as folder:
        folder.mkdir()
        config = {
            "architecture": p.model,
            "labels": labels,
            "channels": channels,
            "inputs": asdict(inputs),
            "recipe": recipe.model_dump(),
            "seed": p.seed,
            "fold": p.split.fold,
            "epoch": best.number,
            "validation": {name: round(value, 6) for name, value in best.validation.items()},
            "parameters": parameters,
            "data": {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in (INDEX, COPIES)},
            "sources": sources,
            "drawn_faces": any(source["drawn"] for source in sources.values()),
            "torch": torch.__version__,
            "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
            "precision": str(hardware.precision(device)).removeprefix("torch."),
        }
        save(folder, network, config)


def log(live: Live, epoch: Epoch, epochs: int) -> None:
    for part in ("train", "validation"):
        for name in ("loss", "accuracy", "macro_f1"):
            live.log_metric(f"{part}/{name}", getattr(epoch, part)[name])
    live.log_metric("lr", epoch.lr)
    live.next_step()
    loss, judged = epoch.train["loss"], epoch.validation
    line = f"loss {judged['loss']:.3f}, accuracy {judged['accuracy']:.3f}, macro-F1 {judged['macro_f1']:.3f}"
    tqdm.write(f"epoch {epoch.number}/{epochs}: training loss {loss:.3f}; validation {line}", sys.stderr)


if __name__ == "__main__":
    guard(main)
