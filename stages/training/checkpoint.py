"""The state of a training on disk, so that a stopped training can continue."""

import hashlib
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO

import torch
from filelock import FileLock
from platformdirs import user_cache_path
from tqdm import tqdm

from stages.base.atomic import atomic_output
from stages.base.errors import cause, one_line
from stages.training.code_version import code_version

DIGEST = hashlib.sha256().digest_size  # bytes at the start of the file
KEPT = 30 * 24 * 3600  # seconds for which a stopped training can continue


class Checkpoint:
    """The last saved state of one training.

    The file is in the user's cache folder: DVC deletes the outputs of a stage before it runs, and experiments run in
    temporary copies of the repository. Its name is a hash of `facts`, the code and the versions, with `computation`
    after it, and it starts with a hash of this name and its content, so a training continues only from its own,
    undamaged state. A checkpoint is a convenience: if it cannot be read or written, this is printed once, and the
    training goes on. Checkpoints of trainings that were not continued for 30 days are deleted.

    Args:
        facts: what is trained: parameters, hashes of the data and so on, as values that JSON can hold.
        computation: how this machine computes it, as far as it changes the result, such as "cuda" and "bfloat16".
    """

    def __init__(self, facts: dict[str, Any], computation: Sequence[str] = ()) -> None:
        facts = facts | {"code": code_version(), "torch": torch.__version__, "threads": torch.get_num_threads()}
        key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        name = "-".join([key[:32], *computation])
        self.path = user_cache_path("facial-expression-recognition") / "checkpoints" / f"{name}.pt"
        self._lock = FileLock(f"{self.path}.lock")  # the same training may run twice at the same time
        self._writer = ThreadPoolExecutor(1)
        self._written: Future[None] | None = None
        self._state: Any = None  # the copy that is written
        self._reported = False
        self._remove_old()

    def load(self) -> dict[str, Any] | None:
        """Return the saved state, with tensors on the CPU, or None if there is none that can be used."""
        try:
            with self.path.open("rb") as file:
                if file.read(DIGEST) == self._digest(file):
                    file.seek(DIGEST)
                    return torch.load(file, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            self._report_others()
            return None
        except OSError as fault:
            self._report(fault, "the training starts anew")
            return None
        except Exception:  # torch raises a dozen kinds for what it did not write
            pass
        _print(f"{self.path}: the checkpoint is damaged, or of another training; the training starts anew")
        return None

    def save(self, state: dict[str, Any]) -> None:
        """Replace the saved state; the file is written in the background, after the one before it.

        Args:
            state: tensors, numbers, strings, lists and dictionaries; tensors are copied before this returns.
        """
        self.wait()
        self._state = _copied(state, self._state)
        ready = torch.cuda.current_stream().record_event() if torch.cuda.is_initialized() else None
        self._written = self._writer.submit(self._write, self._state, ready)

    @property
    def busy(self) -> bool:
        """Whether a state is being written."""
        return self._written is not None and not self._written.done()

    def _write(self, state: dict[str, Any], ready: torch.cuda.Event | None) -> None:
        try:
            with (
                _own_stream(ready),
                self._lock,
                atomic_output(self.path) as temporary,
                temporary.open("w+b") as file,
            ):
                file.write(bytes(DIGEST))
                torch.save(state, file)
                digest = self._digest(file)
                file.seek(0)
                file.write(digest)
        except (OSError, RuntimeError) as error:
            fault = error if isinstance(error, OSError) else error.__context__  # torch closes its file after a fault
            if not isinstance(fault, OSError):
                raise
            self._report(fault, "the training goes on, but cannot continue from here if it is stopped")

    def _report(self, fault: OSError, consequence: str) -> None:
        """Print once per training why there is no checkpoint."""
        if not self._reported:
            fault.filename = fault.filename or str(self.path)
            _print(f"no checkpoint ({cause(fault)}): {consequence}")
        self._reported = True

    def _report_others(self) -> None:
        """Print which checkpoints of the same training are not used, because it was computed in another way."""
        key, _, own = self.path.stem.partition("-")
        if others := sorted(path.stem.partition("-")[2] for path in self.path.parent.glob(f"{key}-*.pt")):
            _print(f"no checkpoint for {own}, only for {', '.join(others)}: the training starts anew")

    def _digest(self, file: BinaryIO) -> bytes:
        """Return the hash of the file's name and of its content after the digest."""
        file.seek(DIGEST)
        digest = hashlib.sha256(self.path.name.encode())
        while block := file.read(2**20):
            digest.update(block)
        return digest.digest()

    def wait(self) -> None:
        """Wait until the last state is written."""
        if self._written:
            self._written.result()

    def remove(self) -> None:
        """Delete the saved state."""
        self.wait()
        try:
            with self._lock:
                self.path.unlink(missing_ok=True)
                Path(self._lock.lock_file).unlink()
        except OSError as fault:
            self._report(fault, "it could not be removed")

    def _remove_old(self) -> None:
        for path in self.path.parent.glob("*.pt*"):  # with their locks
            with suppress(OSError):  # another training has just deleted it
                if time.time() - path.stat().st_mtime > KEPT:
                    path.unlink()


def _copied(value: Any, old: Any) -> Any:
    """Return a copy of a state; tensors are in the memory of the copy `old`, if they fit, since new memory is slow."""
    if isinstance(value, torch.Tensor):
        fits = isinstance(old, torch.Tensor) and (old.stride(), old.dtype) == (value.stride(), value.dtype)
        return old.copy_(value) if fits and old.shape == value.shape else value.clone()
    if isinstance(value, dict):
        return {key: _copied(item, old.get(key) if isinstance(old, dict) else None) for key, item in value.items()}
    return [_copied(item, None) for item in value] if isinstance(value, list) else value


def _own_stream(ready: torch.cuda.Event | None) -> AbstractContextManager[object]:
    """Return a context whose GPU operations run beside those of the training, after the event `ready`."""
    if not ready:
        return nullcontext()
    stream = torch.cuda.Stream()
    stream.wait_event(ready)
    return torch.cuda.stream(stream)


def _print(message: str) -> None:
    tqdm.write(one_line(message), sys.stderr)
