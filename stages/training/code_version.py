"""Which code trained a model."""

import hashlib
import json
import sys
from pathlib import Path

from stages.base.files import sha256

STAGES = Path(__file__).parents[1]


def code_version() -> str:
    """Return one SHA-256 for all files of `stages/` that this process has loaded; it changes when one of them does.

    Files of `benchmark/` are left out: they may start a training, but do not change it. Call this after the network is
    built, since the file of an architecture is loaded when it is used.
    """
    files = {Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}
    paths = sorted(file.relative_to(STAGES) for file in files if file.is_relative_to(STAGES))
    hashes = {path.as_posix(): sha256(STAGES / path) for path in paths if path.parts[0] != "benchmark"}
    return hashlib.sha256(json.dumps(hashes).encode()).hexdigest()
