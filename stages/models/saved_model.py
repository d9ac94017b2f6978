"""A trained model as a folder: `weights.safetensors`, and `config.json` with all that is needed to use them."""

import hashlib
import json
from pathlib import Path

import safetensors.torch
from torch import nn

from stages.base.errors import InputError
from stages.models.networks import build

CONFIG, WEIGHTS = "config.json", "weights.safetensors"


def save(folder: Path, network: nn.Module, config: dict) -> None:
    """Write a network and its `config`, whose keys `load` reads, into the existing `folder`."""
    (folder / WEIGHTS).write_bytes(_packed(network))
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def sha256(network: nn.Module) -> str:
    """The hash that the weights would have on disk."""
    return hashlib.sha256(_packed(network)).hexdigest()


def load(folder: Path) -> tuple[nn.Module, dict]:
    """Return a saved network, in evaluation mode on the CPU, and its config.

    No content of the folder can run code.

    Raises:
        InputError: the folder holds no model, or a damaged one.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        network = build(
            config["architecture"],
            len(config["labels"]),
            config["channels"],
            config["inputs"]["size"],
            config["recipe"]["dropout"],
        )
        network.load_state_dict(safetensors.torch.load_file(folder / WEIGHTS))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder}: holds no trained model; train one first") from None
    except (ValueError, KeyError, TypeError, RuntimeError, safetensors.SafetensorError) as error:
        raise InputError(f"{folder}: not a model of this project ({' '.join(str(error).split())[:200]})") from None
    return network.eval(), config


def _packed(network: nn.Module) -> bytes:
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    return safetensors.torch.save(tensors, metadata={"format": "pt"})  # one key: several come in a random order
