"""Training that starts from a trained model of ours, on other labels, channels or sizes where need be."""

from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor, nn

from stages.base.errors import InputError
from stages.base.params import Train
from stages.models.networks import build, head
from stages.models.saved_model import CONFIG, WEIGHTS, load


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


def starting(recipe: Train, labels: list[str], channels: int, size: int, place: str) -> nn.Module:
    """The recipe's architecture for images of `channels`×size×size, with the weights that its `init` names.

    random: fresh ones. imagenet: those learned on ImageNet. Else those of a model of ours, in a folder, or at `place`
    in a git revision of this repository, as DVC keeps it; what was fitted or left fresh is said.
    Raises InputError where the weights cannot be had.
    """
    network = build(recipe.arch, len(labels), channels, size, recipe.dropout, recipe.init == "imagenet")
    if recipe.init not in ("random", "imagenet"):
        with TemporaryDirectory() as temporary:
            folder = Path(recipe.init)
            if not folder.is_dir():
                folder = _at_revision(recipe.init, place, Path(temporary) / "model")
            for note in start(network, recipe.arch, labels, folder):
                print(f"{recipe.init}: {note}")
    return network


def _at_revision(revision: str, place: str, folder: Path) -> Path:
    """The model in the folder `place` at a git revision, fetched into `folder`."""
    from dvc.api import DVCFileSystem  # a second, for those who ask for it
    from dvc.exceptions import DvcException
    from dvc.scm import SCMError

    try:
        files = DVCFileSystem(rev=revision)
        folder.mkdir()
        for name in (CONFIG, WEIGHTS):
            files.get_file(f"{place}/{name}", str(folder / name))
    except (DvcException, SCMError, OSError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"train.init: {revision!r} is neither random, imagenet, a folder, nor a git revision or "
            f"experiment whose {place} is here ({why[:200]}); try `dvc pull`"
        ) from None
    return folder
