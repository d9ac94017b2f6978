"""A trained model in a folder.

`weights.safetensors` holds the weights, and `config.json` all that is needed to use them. `trained_on.csv` lists the
faces that the model has seen in training, for trainings that start from it (see stages/training/seen_faces.py).
"""

import hashlib
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import nn

from stages.base.errors import InputError
from stages.base.files import read_json, write_json
from stages.models.networks import build

CONFIG, WEIGHTS, TRAINED_ON = "config.json", "weights.safetensors", "trained_on.csv"


def save(folder: Path, network: nn.Module, config: dict[str, Any]) -> None:
    """Write a network and its config into an existing folder.

    Args:
        folder: where to write; files of an earlier model are replaced.
        network: the network, on any device.
        config: what `config.json` will contain. `load` needs `architecture`, `labels`, `channels`, `inputs.size` and
            `recipe.dropout`.
    """
    (folder / WEIGHTS).write_bytes(_serialised(network))
    write_json(config, folder / CONFIG)


def sha256(network: nn.Module) -> str:
    """Return the SHA-256 of the weights file that `save` would write for `network`."""
    return hashlib.sha256(_serialised(network)).hexdigest()


def load(folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Return a saved network, in evaluation mode on the CPU, and its config.

    No content of the folder can run code.

    Raises:
        InputError: the folder holds no model, or a damaged one.
    """
    try:
        config = read_json(folder / CONFIG)
        network = build(
            config["architecture"],
            len(config["labels"]),
            config["channels"],
            config["inputs"]["size"],
            config["recipe"]["dropout"],
        )
        network.load_state_dict(safetensors.torch.load_file(folder / WEIGHTS))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder}: contains no trained model; train one first") from None
    except (ValueError, KeyError, TypeError, RuntimeError, safetensors.SafetensorError) as error:
        raise InputError(f"{folder}: not a model of this project ({' '.join(str(error).split())[:200]})") from None
    return network.eval(), config


def _serialised(network: nn.Module) -> bytes:
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    return safetensors.torch.save(tensors, metadata={"format": "pt"})  # several keys would come in random order
