"""Decoding and resizing of images on all cores, in order and with bounded memory."""

import os
import signal
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from multiprocessing import resource_tracker

from joblib import Parallel, cpu_count, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from stages.base.errors import InputError
from stages.datasets.picture import Face, Picture, Rejected, prepare

# A worker process receives one block at a time: large enough to outweigh the cost of sending it.
BLOCK_IMAGES, BLOCK_BYTES = 512, 2**20

Item = Picture | Rejected


def prepare_all(items: Iterable[Item], size: int, channels: int) -> Iterator[Face | Rejected]:
    """Yield the result of `prepare` for each picture, computed by one worker process per core.

    Args:
        items: pictures, and rejected members, which are passed through.
        size: side of a face in pixels.
        channels: 1 (grey) or 3 (RGB).

    Yields:
        One face or rejected member for each item, in the order of `items`.
    """
    # When the run is stopped, joblib would advise to give it fewer tasks, and its helper would miss some semaphores.
    warnings.filterwarnings("ignore", r"\d+ tasks (which were|have been)", UserWarning)
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), "ignore:resource_tracker"]))
    workers = Parallel(
        n_jobs=cpu_count(),
        return_as="generator",
        pre_dispatch="3*n_jobs",
        initializer=_end_with,
        initargs=(os.getpid(),),
    )
    with _killed_worker_as_input_error(), _ctrl_c_delayed():
        list(workers([delayed(int)()]))  # starts the workers
    prepared = workers(delayed(_prepare_block)(block, size, channels) for block in _blocks(items))
    return _faces(prepared)


def _faces(prepared: Iterable[list[Face | Rejected]]) -> Iterator[Face | Rejected]:
    with _killed_worker_as_input_error():
        yield from chain.from_iterable(prepared)


@contextmanager
def _killed_worker_as_input_error() -> Iterator[None]:
    try:
        yield
    except TerminatedWorkerError:
        raise InputError(
            "a worker process was killed, perhaps because the memory is full; close other programs and run again"
        ) from None


def _prepare_block(items: list[Item], size: int, channels: int) -> list[Face | Rejected]:
    return [item if isinstance(item, Rejected) else prepare(item, size, channels) for item in items]


def _blocks(items: Iterable[Item]) -> Iterator[list[Item]]:
    block: list[Item] = []
    length = 0
    for item in items:
        block.append(item)
        length += len(item.content or b"") if isinstance(item, Picture) else 0
        if len(block) == BLOCK_IMAGES or length >= BLOCK_BYTES:
            yield block
            block, length = [], 0
    if block:
        yield block


@contextmanager
def _ctrl_c_delayed() -> Iterator[None]:
    """Delay Ctrl-C for this moment, and for good in the processes that start in it: this one ends them."""
    if os.name == "nt":
        yield
        return
    resource_tracker.ensure_running()  # the workers need it, and its start would end the delay
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with(parent: int) -> None:
    """End this worker process soon after its parent, which may be killed without a chance to end its workers."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
