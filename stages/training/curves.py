"""Training curves for DVC and TensorBoard."""

import sqlite3
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from dvclive import Live

from stages.base.atomic import exclusive, writing
from stages.base.errors import InputError
from stages.training.loop import Epoch


class Curves:
    """A writer of training curves; a context manager.

    Args:
        folder: where DVCLive writes the curves that DVC plots. It is written anew.
        tensorboard: folder of the TensorBoard logs, or None. They also contain the speed, which DVC must not compare
            because it differs from run to run.
        name: name of the run, which is also that of its folder in `tensorboard`.

    Raises:
        InputError: another training writes `folder` now, or DVC cannot write its own files.
    """

    def __init__(self, folder: Path, tensorboard: str | None, name: str) -> None:
        self._folder, self._events = folder, None
        with ExitStack() as opened:
            opened.enter_context(exclusive(folder))  # no other training writes the same outputs
            try:
                live = Live(str(folder), save_dvc_exp=False, dvcyaml=None, report=None)
            except sqlite3.Error as error:
                raise InputError(
                    f"DVC cannot write its own files ({error}); make room on the disk of core.site_cache_dir "
                    "(`dvc config core.site_cache_dir`, by default in /var/tmp/dvc)"
                ) from None
            self._live = opened.enter_context(live)
            if tensorboard:
                from torch.utils.tensorboard import SummaryWriter  # slow to import

                # purge_step hides the logs of a stopped run, whose epochs are logged again.
                self._events = opened.enter_context(SummaryWriter(Path(tensorboard) / name, purge_step=0))
            self._open = opened.pop_all()

    def log(self, epoch: Epoch, faces: int) -> None:
        """Write the metrics of one epoch, in which the network was trained on `faces` faces."""
        metrics = {f"train/{name}": value for name, value in epoch.train.items()}
        metrics |= {f"validation/{name}": value for name, value in epoch.validation.items()}
        metrics["lr"] = epoch.lr
        with writing(self._folder):
            for name, value in metrics.items():
                self._live.log_metric(name, value)
            self._live.next_step()
        if self._events:
            speed = {"speed/faces_per_second": faces / epoch.seconds, "speed/seconds": epoch.seconds}
            for name, value in (metrics | speed).items():
                self._events.add_scalar(name, value, epoch.number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with writing(self._folder):
            self._open.__exit__(kind, error, traceback)
