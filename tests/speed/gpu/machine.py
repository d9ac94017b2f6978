"""What a measurement was made with."""

import platform
import subprocess
from pathlib import Path

import pynvml
import timm
import torch

from stages.models import hardware

ROOT = Path(__file__).parents[3]


def machine(device: torch.device) -> dict:
    """Return card, driver, versions and commit."""
    return {
        "device": hardware.device_name(device),
        "memory_bytes": hardware.total_memory(device),
        "driver": _driver(device),
        "cuda": torch.version.cuda if device.type == "cuda" else None,
        "cudnn": torch.backends.cudnn.version() if device.type == "cuda" else None,
        "torch": torch.__version__,
        "timm": timm.__version__,
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "commit": _commit(),
    }


def _driver(device: torch.device) -> str | None:
    if device.type != "cuda":
        return None
    pynvml.nvmlInit()
    return pynvml.nvmlSystemGetDriverVersion()


def _commit() -> str | None:
    """Return the commit, with a "+" after it if files were changed; None where there is no repository."""
    described = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"]
    done = subprocess.run(described, capture_output=True, text=True)
    return done.stdout.strip() or None
