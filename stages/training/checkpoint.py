"""The state of a training on disk, so that a stopped training can continue."""

import hashlib
import json
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from platformdirs import user_cache_path

from stages.base.atomic import atomic_output
from stages.training.code_version import code_version


class Checkpoint:
    """The last saved state of one training.

    The file is in the user's cache folder: DVC deletes the outputs of a stage before it runs, and experiments run in
    temporary copies of the repository. Its name is a hash of `facts`, the code and the versions, so a training
    continues only from its own state.

    Args:
        facts: all that determines the result of the training, such as parameters and hashes of the data, as values that
            JSON can hold.
    """

    def __init__(self, facts: dict[str, Any]) -> None:
        facts = facts | {"code": code_version(), "torch": torch.__version__, "threads": torch.get_num_threads()}
        key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        self.path = user_cache_path("facial-expression-recognition") / "checkpoints" / f"{key[:32]}.pt"
        self._lock = FileLock(f"{self.path}.lock")  # the same training may run twice at the same time
        self._writer = ThreadPoolExecutor(1)
        self._written: Future[None] | None = None

    def load(self) -> dict[str, Any] | None:
        """Return the saved state, with tensors on the CPU, or None if there is none."""
        try:
            return torch.load(self.path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            return None

    def save(self, state: dict[str, Any]) -> None:
        """Replace the saved state; the file is written in the background, after the one before it.

        Args:
            state: tensors, numbers, strings, lists and dictionaries; they are copied before this returns.
        """
        self.wait()
        self._written = self._writer.submit(self._write, deepcopy(state))

    def _write(self, state: dict[str, Any]) -> None:
        with self._lock, atomic_output(self.path) as temporary:
            torch.save(state, temporary)

    def wait(self) -> None:
        """Wait until the last state is written."""
        if self._written:
            self._written.result()

    def remove(self) -> None:
        """Delete the saved state."""
        self.wait()
        with self._lock:
            self.path.unlink(missing_ok=True)
            Path(self._lock.lock_file).unlink()
