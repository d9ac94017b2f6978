"""Running a training: what it prints, its curves, and how Ctrl-C ends it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from stages.base.errors import INTERRUPTED, Stopped
from stages.models.hardware import device_name
from stages.training import distributed
from stages.training.checkpoint import Checkpoint
from stages.training.curves import Curves
from stages.training.loop import Epoch, Training


def run_epochs(training: Training, checkpoint: Checkpoint, curves: Path, name: str) -> None:
    """Train until the end; the first process prints each epoch and writes the training curves.

    Args:
        training: the training, from its start or restored.
        checkpoint: where its state is saved.
        curves: folder of the curves.
        name: name of the run.

    Raises:
        InputError: the outputs of the network are not finite, or the curves cannot be written.
        Stopped: the user pressed Ctrl-C.
    """
    with stoppable(training, checkpoint):
        if distributed.rank():
            for _ in training.epochs(checkpoint):
                pass
            return
        print_start(name, training)
        print_resumed(training)
        faces = len(training.train)
        with Curves(curves, training.recipe.tensorboard, name) as writer:
            for epoch in training.history:
                writer.log(epoch, faces)
            for epoch in training.epochs(checkpoint):
                writer.log(epoch, faces)
                print_epoch(epoch, training)


def print_start(name: str, training: Training) -> None:
    """Print what is trained, on which device, and on how many faces."""
    parameters = sum(parameter.numel() for parameter in training.network.parameters())
    processes = distributed.world_size()
    print(
        f"training {name} ({parameters:,} parameters) on {device_name(training.device)} in {training.precision}, "
        f"{processes} {'process' if processes == 1 else 'processes'}, batch size {training.recipe.batch_size}: "
        f"{len(training.train)} training faces, {len(training.validation)} validation faces",
        flush=True,
    )


def print_resumed(training: Training) -> None:
    """Print where a restored training continues; print nothing if it starts from the beginning."""
    epochs, steps = divmod(training.step, training.steps_per_epoch)
    if steps:
        print(f"resumed in epoch {epochs + 1}, after {steps} of {training.steps_per_epoch} steps", flush=True)
    elif epochs:
        print(f"resumed after epoch {epochs}", flush=True)


def print_epoch(epoch: Epoch, training: Training) -> None:
    """Print the metrics and the speed of an epoch."""
    metrics = epoch.validation
    tqdm.write(
        f"epoch {epoch.number}/{training.recipe.epochs}: training loss {epoch.train['loss']:.3f}; "
        f"validation loss {metrics['loss']:.3f}, accuracy {metrics['accuracy']:.3f}, "
        f"macro-F1 {metrics['macro_f1']:.3f}; "
        f"{epoch.seconds:.1f} s, {len(training.train) / epoch.seconds:.0f} faces/s",
        sys.stderr,
    )


@contextmanager
def stoppable(training: Training, checkpoint: Checkpoint) -> Iterator[None]:
    """Let Ctrl-C end the training with one line.

    Raises:
        Stopped: the user pressed Ctrl-C. The message says in which epoch, and how to continue.
    """
    try:
        yield
    except KeyboardInterrupt:
        if distributed.rank():
            sys.exit(INTERRUPTED)  # the first process prints for all
        checkpoint.wait()
        epoch = min(len(training.history) + 1, training.recipe.epochs)
        if not checkpoint.path.exists():
            raise Stopped(f"stopped in epoch {epoch}, before the first checkpoint") from None
        raise Stopped(
            f"stopped in epoch {epoch}; run the same command again to continue from the last checkpoint"
        ) from None
