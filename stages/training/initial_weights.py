"""The initial weights: random, published ones, or those of a trained model of this project."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor, nn

from stages.base.errors import InputError
from stages.models.networks import PRETRAININGS, build, head
from stages.models.preprocessing import Inputs
from stages.models.saved_model import load, model_folder
from stages.params.models import Recipe
from stages.training import distributed
from stages.training.seen_faces import NONE, read_seen


def initial_network(
    recipe: Recipe, labels: list[str], channels: int, size: int, model_path: str
) -> tuple[nn.Module, pd.DataFrame]:
    """Return the recipe's network with the initial weights that `recipe.init` names, and the faces they have seen.

    `random` and `PRETRAININGS` are explained in `networks.build`. Any other value is the folder of a model, or a git
    revision of this repository, whose model DVC has at `model_path`; which weights were not transferred is printed.

    Args:
        recipe: the training recipe.
        labels: the labels, in the order of the classes.
        channels: channels of the images.
        size: height and width of the images in pixels.
        model_path: path of the trained model in this repository.

    Returns:
        The network, and the faces of this project's data sets that its weights were trained on (see `read_seen`).

    Raises:
        InputError: the weights, or what they were trained on, could not be loaded.
    """
    names = "random", *PRETRAININGS
    init = recipe.init if recipe.init in names else "random"
    network = build(recipe.arch, len(labels), channels, size, recipe.dropout, init)
    if recipe.init in names:
        return network, NONE
    with model_folder(recipe.init, model_path, "train.init", names) as folder:
        notes = transfer_weights(network, recipe.arch, labels, folder)
        seen = read_seen(folder, recipe.init)
    if not distributed.rank():  # only the first process prints
        for note in notes:
            print(f"{recipe.init}: {note}")
    return network, seen


def expected_inputs(recipe: Recipe, network: nn.Module, inputs: Inputs) -> Inputs:
    """Return the preprocessing that the initial weights expect.

    Most ImageNet weights were learned on images normalised to mean 0 and standard deviation 1, as `inputs` normalises
    the training faces. Some of timm's were learned on other levels, such as -1 to 1, which are then used.

    Args:
        recipe: the training recipe.
        network: the network with its initial weights.
        inputs: the preprocessing that normalises the training faces.
    """
    published = getattr(network, "pretrained_cfg", None)  # timm's
    if recipe.init != "imagenet" or not published:
        return inputs
    from timm.data import IMAGENET_DEFAULT_MEAN  # slow to import

    if published["mean"] == IMAGENET_DEFAULT_MEAN:
        return inputs
    mean, std = (np.array(published[name]) for name in ("mean", "std"))
    if len(inputs.mean) == 1:
        mean, std = mean.mean(keepdims=True), std.mean(keepdims=True)
    return replace(inputs, mean=mean.tolist(), std=std.tolist())


def transfer_weights(network: nn.Module, arch: str, labels: list[str], folder: Path) -> list[str]:
    """Copy the weights of a trained model into `network` as far as they fit.

    If the number of channels differs, the first convolution is adapted such that a grey image gives the same maps. If
    the labels differ, the classifier gets the rows of the labels that both models have. Other weights whose shape does
    not fit stay random.

    Args:
        network: a new network.
        arch: its architecture.
        labels: its labels, in the order of the classes.
        folder: the folder of the trained model.

    Returns:
        One line for each tensor that was adapted or not transferred.

    Raises:
        InputError: the folder holds no model, a damaged one, or one of another architecture.
    """
    model, config = load(folder)
    if config["architecture"] != arch:
        raise InputError(
            f"train.init: {folder} is a model of {config['architecture']}, which does not fit the architecture {arch}; "
            f"choose a model of {arch}"
        )
    trained_labels, trained, initial = config["labels"], model.state_dict(), network.state_dict()
    stem = next(name for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)) + ".weight"
    classifier = next(name for name, layer in network.named_modules() if layer is head(network))
    notes = []
    for name, tensor in trained.items():
        if name == stem and tensor.shape[1] != initial[name].shape[1]:
            channels = initial[name].shape[1]
            notes.append(f"{name}: adapted from {tensor.shape[1]} to {channels} channels")
            trained[name] = tensor.sum(1, keepdim=True).expand(initial[name].shape) / channels
        elif name.rpartition(".")[0] == classifier and trained_labels != labels:
            trained[name] = _transfer_rows(tensor, trained_labels, initial[name], labels)
        elif tensor.shape != initial[name].shape:
            notes.append(f"{name}: random, because {_shape(tensor)} does not fit {_shape(initial[name])}")
            trained[name] = initial[name]
    if trained_labels != labels:
        common = [label for label in labels if label in trained_labels]
        new = [label for label in labels if label not in trained_labels]
        notes.append(
            f"{classifier}: transferred for {', '.join(common) or 'no label'}; random for {', '.join(new) or 'none'}"
        )
    network.load_state_dict(trained)
    return notes


def _transfer_rows(trained: Tensor, trained_labels: list[str], initial: Tensor, labels: list[str]) -> Tensor:
    """Return `initial` with the rows of `trained` for the labels that both have."""
    rows = initial.clone()
    for row, label in enumerate(labels):
        if label in trained_labels:
            rows[row] = trained[trained_labels.index(label)]
    return rows


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape))
