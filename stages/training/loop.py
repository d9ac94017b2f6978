"""The training loop: faces stay on the device, and nothing waits for the host inside an epoch."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from tqdm import tqdm

from stages.base.errors import InputError
from stages.base.params import Train
from stages.evaluation.scores import measure
from stages.models.forward import logits
from stages.models.hardware import autocast
from stages.models.inputs import Inputs, to_images
from stages.training.augmentation import distort
from stages.training.faces import LabelledFaces
from stages.training.schedule import one_cycle


@dataclass(frozen=True)
class Epoch:
    """One pass over the training faces: its number from 1, the learning rate at its start, and its figures.

    The figures are those of `evaluation.scores.measure`. `train` is measured on the distorted faces while the network
    changes; `best` says that validation macro-F1 is higher than after any epoch before.
    """

    number: int
    lr: float
    train: dict[str, float]
    validation: dict[str, float]
    best: bool


def fit(
    network: nn.Module, inputs: Inputs, train: LabelledFaces, validation: LabelledFaces, recipe: Train, seed: int
) -> Iterator[Epoch]:
    """Train a network on its device and yield after each epoch; at the end the network has the best epoch's weights.

    AdamW (Loshchilov and Hutter, 2019) minimises cross-entropy with smoothed labels (Szegedy et al., 2016). Training
    stops after `recipe.epochs`, or after `recipe.patience` epochs without a better validation macro-F1.
    Raises InputError where the loss is no longer a number.
    """
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]  # biases and batch normalisation
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = AdamW(groups, lr=recipe.lr, fused=True)
    batches = -(-len(train) // recipe.batch_size)
    schedule = LambdaLR(optimizer, partial(one_cycle, steps=recipe.epochs * batches))
    generator = Generator(train.targets.device).manual_seed(seed)
    highest, best_number, weights = -1.0, 0, {}
    with tqdm(total=recipe.epochs * batches, desc="train", unit="batch", disable=None) as bar:
        for number in range(1, recipe.epochs + 1):
            lr = optimizer.param_groups[0]["lr"]
            outputs = []
            order = torch.randperm(len(train), device=train.targets.device, generator=generator)
            network.train()
            for rows in order.tensor_split(batches):  # of equal size, so that none is left with a single face
                images = distort(to_images(train.pixels[rows]), inputs.size, recipe.strength, generator)
                outputs.append(_step(network, inputs.normalise(images), train.targets[rows], optimizer))
                schedule.step()
                bar.update()
            figures = measure(torch.cat(outputs), train.targets[order])
            if not math.isfinite(figures["loss"]):
                raise InputError(f"train.lr: {recipe.lr} is too high: epoch {number}'s loss is no number; lower it")
            judged = measure(logits(network, inputs, validation.pixels), validation.targets)
            if better := judged["macro_f1"] > highest:
                highest, best_number = judged["macro_f1"], number
                weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
            bar.set_postfix(macro_f1=f"{judged['macro_f1']:.3f}")
            yield Epoch(number, lr, figures, judged, better)
            if number - best_number >= recipe.patience:
                break
    network.load_state_dict(weights)


def _step(network: nn.Module, images: Tensor, targets: Tensor, optimizer: AdamW) -> Tensor:
    """One step of the optimiser; returns the logits, B×classes."""
    with autocast(images.device):
        outputs = network(images).float()
    loss = functional.cross_entropy(outputs, targets, label_smoothing=0.1)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return outputs.detach()
