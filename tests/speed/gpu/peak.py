"""How much of the GPU's speed the networks use: arithmetic against a matrix product, memory against a copy.

The arithmetic of a training step is counted by torch, convolutions and matrix products only. Its memory traffic is
taken for the size of all inputs and outputs of its operations, as if nothing stayed in caches.
"""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from torch.utils.benchmark import Timer
from torch.utils.flop_counter import FlopCounterMode

from speed.gpu.setting import Setting
from speed.loop import CLASSES, noise
from stages.benchmark.profiling import training_step
from stages.models import hardware
from stages.models.networks import build
from stages.models.preprocessing import Inputs
from stages.params.models import Recipe, load_recipe

NETWORKS = [("resnet18", 48), ("resnet18", 112), ("resnet18", 224), ("cnn5", 48), ("vgg16", 96), ("vit_b16", 224)]
BATCH, SIDE, BYTES, SECONDS = 512, 8192, 2**30, 3.0  # SIDE of the matrices, BYTES of the copy, SECONDS at least
TINY_BATCH, TINY_SIDE, TINY_BYTES, TINY_SECONDS = 4, 64, 2**16, 0.05


class Traffic(TorchDispatchMode):
    """Counts the bytes that operations read and write; views cost nothing."""

    total = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        if not operation.is_view:
            tensors = (item for item in tree_iter((args, kwargs, result)) if isinstance(item, torch.Tensor))
            self.total += sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        return result


def cells(setting: Setting) -> Iterator[tuple[str, Callable[[], dict]]]:
    """Yield the two limits of the device, and then the networks, which are compared with them."""
    tiny, limits = setting.rehearse, {}
    seconds = TINY_SECONDS if tiny else SECONDS
    yield "matmul", partial(matmul, limits, setting.device, TINY_SIDE if tiny else SIDE, seconds)
    yield "copy", partial(copy, limits, setting.device, TINY_BYTES if tiny else BYTES, seconds)
    for arch, size in [(arch, 48) for arch in setting.architectures] if tiny else NETWORKS:
        if arch in setting.architectures:
            batch = TINY_BATCH if tiny else BATCH // 2 if arch == "vit_b16" else BATCH
            recipe = load_recipe(arch).model_copy(update={"batch_size": batch})
            yield f"{arch}@{size}", partial(network, limits, recipe, size, setting.device, seconds)


def matmul(limits: dict[str, float], device: torch.device, side: int, seconds: float) -> dict:
    """Measure a product of two square matrices in the precision of trainings."""
    dtype = hardware.precision(device)
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    limits["flops"] = 2 * side**3 / duration(lambda: left @ right, seconds)
    return {"precision": str(dtype).removeprefix("torch."), "side": side, "flops_per_second": limits["flops"]}


def copy(limits: dict[str, float], device: torch.device, size: int, seconds: float) -> dict:
    """Measure a copy within the device's memory; each byte is read and written."""
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    limits["bytes"] = 2 * size / duration(lambda: target.copy_(source), seconds)
    return {"bytes": size, "bytes_per_second": limits["bytes"]}


def network(limits: dict[str, float], recipe: Recipe, size: int, device: torch.device, seconds: float) -> dict:
    """Measure training steps of one network and compare them with the limits."""
    hardware.deterministic(0, device=device)
    model = build(recipe.arch, CLASSES, 1, size, recipe.dropout).to(device, memory_format=torch.channels_last)
    pixels = noise(recipe.batch_size, device).pixels
    step = training_step(model, Inputs(size, [0.5], [0.25]), pixels, CLASSES, recipe)
    step()  # the optimiser makes its state
    with FlopCounterMode(display=False) as arithmetic, Traffic() as traffic:
        step()
    time = duration(step, seconds)
    flops, moved = arithmetic.get_total_flops(), traffic.total
    return {
        "batch_size": recipe.batch_size,
        "images_per_second": recipe.batch_size / time,
        "flops_per_image": flops / recipe.batch_size,
        "bytes_per_image": moved / recipe.batch_size,
        "share_of_matmul": flops / time / limits["flops"],
        "share_of_copy": moved / time / limits["bytes"],
    }


def duration(work: Callable[[], object], seconds: float) -> float:
    """Return the median duration of a call in seconds."""
    timer = Timer("work()", globals={"work": work}, num_threads=torch.get_num_threads())
    return timer.blocked_autorange(min_run_time=seconds).median
