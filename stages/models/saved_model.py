"""A trained model in a folder.

`weights.safetensors` holds the weights, and `config.json` all that is needed to use them. `trained_on.csv` lists the
faces that the model has seen, for trainings that start or learn from it (see stages/training/seen_faces.py).
"""

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from stages.base.errors import InputError
from stages.base.files import check_size, write_json
from stages.base.files import sha256 as file_sha256
from stages.base.paths import clone
from stages.models.config import HASHES, digest, read_config
from stages.models.networks import build

CONFIG, WEIGHTS, TRAINED_ON = "config.json", "weights.safetensors", "trained_on.csv"
MAX_TEXT = 4 * 2**20  # bytes of `config.json`, and of the header of the weights; a real one has some kilobytes


def save(folder: Path, network: nn.Module, config: dict[str, Any]) -> None:
    """Write a network and its config into an existing folder.

    Args:
        folder: where to write; files of an earlier model are replaced. It can have `trained_on.csv` already.
        network: the network, on any device.
        config: what `config.json` will contain, besides the hashes of all files. `Config` says what `load` needs.
    """
    weights = _serialised(network)
    (folder / WEIGHTS).write_bytes(weights)
    hashes = {"weights": hashlib.sha256(weights).hexdigest(), "config": digest(config)}
    if (folder / TRAINED_ON).exists():
        hashes["trained_on"] = file_sha256(folder / TRAINED_ON)
    write_json(config | {HASHES: hashes}, folder / CONFIG)


def sha256(network: nn.Module) -> str:
    """Return the SHA-256 of the weights file that `save` would write for `network`."""
    return hashlib.sha256(_serialised(network)).hexdigest()


def load(folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Return a saved network, in evaluation mode on the CPU, and its config.

    No content of the folder can run code. The sizes of both files are bounded, they are compared with the hashes in the
    config, and the weights with the network that it describes, before memory is taken for them.

    Raises:
        InputError: the folder holds no model, or one that is damaged, was edited, or is of another project.
    """
    if not all((folder / name).is_file() for name in (CONFIG, WEIGHTS)):
        raise InputError(f"{folder}: contains no trained model; train one first")
    try:
        check_size(folder / CONFIG, MAX_TEXT)
        config = read_config(folder / CONFIG)
        with torch.device("meta"):
            expected = _build(config).state_dict()
        check_size(folder / WEIGHTS, MAX_TEXT + sum(tensor.nbytes for tensor in expected.values()))
        if file_sha256(folder / WEIGHTS) != config[HASHES]["weights"]:
            raise ValueError(f"{WEIGHTS} is not the file that {CONFIG} was written with")
        weights = safetensors.torch.load_file(folder / WEIGHTS)
        _check_weights(weights, expected)
        network = _build(config)
        network.load_state_dict(weights)
    except OSError:
        raise
    except Exception as error:  # whatever a library meets in foreign files
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{folder}: not a model of this project, or damaged ({reason})") from None
    return network.eval(), config


@contextmanager
def model_folder(name: str, model_path: str, key: str, others: Collection[str] = ()) -> Iterator[Path]:
    """Yield the folder of a model. The model of a revision is copied, and its copy removed at the end.

    Args:
        name: a folder, or a git revision or experiment of this repository, whose model DVC has at `model_path`.
        model_path: path of the trained model in this repository.
        key: where the name was given, for messages.
        others: what else the name could have been, for messages.

    Raises:
        InputError: there is no such folder or revision, or DVC's cache does not have the model.
    """
    if Path(name).is_dir():
        yield Path(name)
        return
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        folder.mkdir()
        try:
            _copy(name, model_path, folder)
        except OSError as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            kinds = "".join(f"{other}, " for other in others)
            raise InputError(
                f"{key}: {name!r} is neither {kinds}a folder, nor a git revision or experiment whose {model_path} is "
                f"in the local cache ({reason[:200]}); try `dvc pull`"
            ) from None
        yield folder


def _build(config: dict[str, Any]) -> nn.Module:
    size, dropout = config["inputs"]["size"], config["recipe"]["dropout"]
    return build(config["architecture"], len(config["labels"]), config["channels"], size, dropout)


def _check_weights(weights: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    if different := weights.keys() ^ expected.keys():
        raise ValueError(f"{WEIGHTS}: {min(different)} is missing or unknown")
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape or tensor.dtype != expected[name].dtype:
            raise ValueError(f"{WEIGHTS}: {name} has not the shape or the type of the network in {CONFIG}")
        if not tensor.isfinite().all():
            raise ValueError(f"{WEIGHTS}: {name} has values that are not finite")


def _serialised(network: nn.Module) -> bytes:
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    return safetensors.torch.save(tensors, metadata={"format": "pt"})  # several keys would come in random order


def _copy(revision: str, model_path: str, folder: Path) -> None:
    """Copy the files of the model at a git revision of this repository into a folder; raise OSError if it fails."""
    from dvc.api import DVCFileSystem  # slow to import
    from dvc.exceptions import DvcException
    from dvc.scm import SCMError

    try:
        files = DVCFileSystem(str(clone()), rev=revision)
        for name in (CONFIG, WEIGHTS, TRAINED_ON):
            if name != TRAINED_ON or files.exists(f"{model_path}/{name}"):  # `read_seen` refuses a model without it
                files.get_file(f"{model_path}/{name}", str(folder / name))
    except (DvcException, SCMError) as error:
        raise OSError(str(error) or type(error).__name__) from None
