"""The training loop against the network alone, and against the usual loop."""

from collections.abc import Callable, Iterator
from functools import partial

from speed import loop as network_alone
from speed import usual as usual_loop
from speed.gpu.setting import Setting

FACES = 28_709  # in an epoch: the training part of FER2013
WORKERS = 16
USUAL = {"cnn5", "resnet18"}  # a GPU that waits for the loader waits with every network

Cells = Iterator[tuple[str, Callable[[], dict]]]


def loop(setting: Setting) -> Cells:
    rounds = 1 if setting.rehearse else 5
    for name, recipe, size in setting.recipes():
        batches = 3 if setting.rehearse else -(-FACES // recipe.batch_size)
        yield name, partial(network_alone.compare, recipe, size, setting.device, batches, rounds)


def usual(setting: Setting) -> Cells:
    faces = usual_loop.load(setting.project / "data", 64 if setting.rehearse else None)
    workers = 1 if setting.rehearse else WORKERS
    for name, recipe, size in setting.recipes():
        if setting.rehearse or recipe.arch in USUAL:
            yield name, partial(usual_loop.compare, faces, recipe, size, setting.device, workers, recipe.precision)
