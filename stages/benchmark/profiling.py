"""Speed, energy use and number of operations of a network."""

from collections.abc import Callable
from dataclasses import dataclass

import pynvml
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from stages.models.forward import logits
from stages.models.hardware import autocast, precision
from stages.models.preprocessing import Inputs
from stages.params.train import Train
from stages.training import optimizer
from stages.training.objective import loss

MIN_SECONDS = 3  # of each measurement


@dataclass(frozen=True)
class Speed:
    """Images per second, and joules per image if the device counts its energy use, otherwise None."""

    images_per_second: float
    joules_per_image: float | None


def training_speed(network: nn.Module, inputs: Inputs, faces: Tensor, classes: int, recipe: Train) -> Speed:
    """Measure `training_step`, with the same arguments."""
    return _measure(training_step(network, inputs, faces, classes, recipe), faces)


def training_step(network: nn.Module, inputs: Inputs, faces: Tensor, classes: int, recipe: Train) -> Callable[[], None]:
    """Return a function that makes one training step: forward pass, backward pass and the step of the optimiser.

    Reading and augmenting the faces is not part of it.

    Args:
        network: the network, on the device where it is measured; it is switched to training mode.
        inputs: its preprocessing.
        faces: one batch, uint8 B×H×W or B×H×W×3, on the device.
        classes: number of classes.
        recipe: optimiser, precision, accumulation and compilation.
    """
    device = faces.device
    dtype = precision(device, recipe.precision)
    images = inputs(faces)
    targets = functional.one_hot(torch.arange(len(faces), device=device) % classes, classes).float()
    steps = optimizer.build(network, recipe)
    scaler = torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)
    forward = torch.compile(network) if recipe.execution == "compile" else network
    network.train()

    def step() -> None:
        steps.zero_grad()
        for part, target in zip(images.chunk(recipe.accumulation), targets.chunk(recipe.accumulation), strict=True):
            with autocast(device, dtype):
                outputs = forward(part).float()
            scaler.scale(loss(outputs, target) / recipe.accumulation).backward()
        scaler.step(steps)
        scaler.update()

    return step


def inference_speed(network: nn.Module, inputs: Inputs, faces: Tensor, recipe: Train) -> Speed:
    """Measure predictions for one batch of `faces`, uint8 N×H×W or N×H×W×3 on the network's device."""
    return _measure(lambda: logits(network, inputs, faces, views=recipe.test_views), faces)


def _measure(work: Callable[[], object], faces: Tensor) -> Speed:
    """Return the speed by the median time of one call of `work`, after warm-up and with the device synchronised.

    The energy is measured in a second series of calls.
    """
    from torch.utils.benchmark import Timer  # importing it can print that there is no CUDA compiler

    timer = Timer("work()", globals={"work": work}, num_threads=torch.get_num_threads())
    seconds = timer.blocked_autorange(min_run_time=MIN_SECONDS).median
    speed, before = len(faces) / seconds, joules(faces.device)
    if before is None:
        return Speed(speed, None)
    calls = round(MIN_SECONDS / seconds) + 1
    for _ in range(calls):
        work()
    after = joules(faces.device)
    return Speed(speed, None if after is None else (after - before) / (calls * len(faces)))


@torch.inference_mode()
def flops(network: nn.Module, channels: int, size: int) -> int:
    """Count the floating-point operations of a forward pass of one image, `channels`×size×size.

    Convolutions, matrix products and attention are counted, with a multiplication and an addition as two operations;
    all others are few in comparison.
    """
    network.eval()
    image = torch.zeros(1, channels, size, size, device=next(network.parameters()).device)
    with FlopCounterMode(display=False) as counter:
        network(image)
    return counter.get_total_flops()


def joules(device: torch.device) -> float | None:
    """Return the energy in joules that a GPU has used since its driver was loaded, after synchronising it.

    Returns None if the device does not count it: a CPU, an NVIDIA GPU before Volta, a GPU of another vendor, or a
    partition of a GPU.
    """
    if device.type != "cuda":
        return None
    torch.cuda.synchronize(device)
    try:
        pynvml.nvmlInit()
        gpu = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu) / 1000  # counted in millijoules
    except pynvml.NVMLError:
        return None
