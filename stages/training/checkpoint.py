"""A training's state on disk, so that it goes on where it was killed."""

import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path

import torch
from filelock import FileLock
from platformdirs import user_cache_path

from stages.base.atomic import atomic_output


class Checkpoint:
    """The newest state of one training, whole or absent; outside the repository, since DVC clears what a stage writes.

    `facts` is all that decides how the training goes: params, hashes of the data. The code and the versions are
    added, so that a training goes on from its own past alone. Experiments in temporary copies find it as well.
    """

    def __init__(self, facts: dict) -> None:
        facts = facts | {"code": _code(), "torch": torch.__version__, "threads": torch.get_num_threads()}
        key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        self.path = user_cache_path("facial-expression-recognition") / "checkpoints" / f"{key[:32]}.pt"
        self._lock = FileLock(f"{self.path}.lock")  # the same training may run elsewhere at the same time
        self._writer, self._written = ThreadPoolExecutor(1), None

    def load(self) -> dict | None:
        """What was saved last, on the CPU, or None where there is nothing."""
        try:
            return torch.load(self.path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            return None

    def save(self, state: dict) -> None:
        """Replace what was saved by tensors, numbers, texts, lists and dictionaries, as they are now.

        They are written while the training goes on; should the state before still be, that is waited for.
        """
        self.wait()
        self._written = self._writer.submit(self._write, deepcopy(state))

    def _write(self, state: dict) -> None:
        with self._lock, atomic_output(self.path) as beside:
            torch.save(state, beside)

    def wait(self) -> None:
        """Let what is being saved come to its end."""
        if self._written:
            self._written.result()

    def remove(self) -> None:
        """Forget it: the training has ended and its model is written."""
        self.wait()
        with self._lock:
            self.path.unlink(missing_ok=True)
            Path(self._lock.lock_file).unlink()


def _code() -> dict[str, str]:
    """A hash of every file of this project that is loaded, by its path."""
    home = Path(__file__).parents[1]
    files = {Path(module.__file__) for module in sys.modules.values() if getattr(module, "__file__", None)}
    ours = sorted(file for file in files if file.is_relative_to(home))
    return {str(file.relative_to(home)): hashlib.sha256(file.read_bytes()).hexdigest() for file in ours}
