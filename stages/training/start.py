"""Training that starts from a trained model of ours, on other labels, channels or sizes where need be."""

from pathlib import Path

from torch import Tensor, nn

from stages.base.errors import InputError
from stages.models import head
from stages.models.folder import load


def start(network: nn.Module, arch: str, labels: list[str], folder: Path) -> list[str]:
    """Give `network`, an `arch` for `labels` in this order, the weights of the model in `folder` as far as they fit.

    Where the number of channels differs, the first convolution is fitted so that a grey picture gives the same maps
    either way; of the classifier, the rows of the labels that both have are taken. What else does not fit keeps its
    fresh weights. Returns one line for each thing fitted or left fresh. Raises InputError where `folder` holds no
    model, a damaged one, or one of another architecture.
    """
    model, config = load(folder)
    if (found := config["architecture"]) != arch:
        raise InputError(f"{folder}: a model of {found}, which cannot start one of {arch}; choose one of {arch}")
    trained_labels, trained, fresh = config["labels"], model.state_dict(), network.state_dict()
    stem = next(name for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)) + ".weight"
    last = next(name for name, layer in network.named_modules() if layer is head(network))
    notes = []
    for name, tensor in trained.items():
        if name == stem and tensor.shape[1] != fresh[name].shape[1]:
            channels = fresh[name].shape[1]
            notes.append(f"{name}: fitted from {tensor.shape[1]} to {channels} channels")
            trained[name] = tensor.sum(1, keepdim=True).expand(fresh[name].shape) / channels
        elif name.rpartition(".")[0] == last and trained_labels != labels:
            trained[name] = _rows(tensor, trained_labels, fresh[name], labels)
        elif tensor.shape != fresh[name].shape:
            notes.append(f"{name}: left fresh, {list(tensor.shape)} does not fit {list(fresh[name].shape)}")
            trained[name] = fresh[name]
    if trained_labels != labels:
        both = [label for label in labels if label in trained_labels]
        new = [label for label in labels if label not in trained_labels]
        notes.append(f"{last}: taken for {', '.join(both) or 'no label'}; fresh for {', '.join(new) or 'none'}")
    network.load_state_dict(trained)
    return notes


def _rows(tensor: Tensor, trained_labels: list[str], fresh: Tensor, labels: list[str]) -> Tensor:
    """`fresh`, with the rows of `tensor` for the labels that both have."""
    fitted = fresh.clone()
    for row, label in enumerate(labels):
        if label in trained_labels:
            fitted[row] = tensor[trained_labels.index(label)]
    return fitted
