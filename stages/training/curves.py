"""The course of a training: curves for DVC and TensorBoard, and a line an epoch."""

import sys
from contextlib import ExitStack
from pathlib import Path

from dvclive import Live
from tqdm import tqdm

from stages.training.loop import Epoch


class Curves:
    """Writes every epoch's figures into `folder`, in DVCLive's form; a context manager.

    With `tensorboard`, the name of a folder, event files go into a folder of the model's name there, speed included:
    it differs from run to run, so it has no place among what DVC compares.
    """

    def __init__(self, folder: Path, tensorboard: str | None, model: str, epochs: int) -> None:
        self._epochs = epochs
        self._open = ExitStack()
        self._live = self._open.enter_context(Live(str(folder), save_dvc_exp=False, dvcyaml=None, report=None))
        self._events = None
        if tensorboard:
            from torch.utils.tensorboard import SummaryWriter  # only who asks for it waits for it

            # Steps from 0 on hide what a run that was cut off had written.
            self._events = self._open.enter_context(SummaryWriter(Path(tensorboard) / model, purge_step=0))

    def add(self, epoch: Epoch, faces: int) -> None:
        """Write one epoch's figures, of a training on so many `faces`."""
        speed = faces / epoch.seconds
        figures = {
            f"{part}/{name}": value for part in ("train", "validation") for name, value in getattr(epoch, part).items()
        }
        for name, value in (figures | {"lr": epoch.lr}).items():
            self._live.log_metric(name, value)
        self._live.next_step()
        if self._events:
            speeds = {"speed/faces_per_second": speed, "speed/seconds": epoch.seconds}
            for name, value in (figures | {"lr": epoch.lr} | speeds).items():
                self._events.add_scalar(name, value, epoch.number)
        loss, judged = epoch.train["loss"], epoch.validation
        line = f"loss {judged['loss']:.3f}, accuracy {judged['accuracy']:.3f}, macro-F1 {judged['macro_f1']:.3f}"
        tqdm.write(
            f"epoch {epoch.number}/{self._epochs}: training loss {loss:.3f}; validation {line}; "
            f"{epoch.seconds:.1f} s, {speed:.0f} faces/s",
            sys.stderr,
        )

    def __enter__(self) -> "Curves":
        return self

    def __exit__(self, *error: object) -> None:
        self._open.__exit__(*error)
