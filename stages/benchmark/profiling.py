"""How fast a network learns from images and looks at them, and the energy it takes, on the device that it is on."""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pynvml
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from stages.base.params import Train
from stages.models.forward import logits
from stages.models.hardware import autocast, precision
from stages.models.preprocessing import Inputs
from stages.training import optimizer
from stages.training.objective import loss

SECONDS = 3  # of measuring, at least


@dataclass(frozen=True)
class Speed:
    """Of one kind of work; `joules_per_image` is None where the device does not tell."""

    images_per_second: float
    joules_per_image: float | None


def training(network: nn.Module, inputs: Inputs, faces: Tensor, classes: int, recipe: Train) -> Speed:
    """The speed of training steps on batches of `faces`, uint8 B×H×W or B×H×W×3: forward, backward and step.

    Batches are computed in the recipe's precision and `accumulation` parts; distorting and reading them is not counted.
    """
    device = faces.device
    dtype = precision(device, recipe.precision)
    images = inputs(faces)
    targets = functional.one_hot(torch.arange(len(faces), device=device) % classes, classes).float()
    steps = optimizer.build(network, recipe)
    scaler = torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)
    forward = torch.compile(network) if recipe.compile else network
    network.train()

    def step() -> None:
        steps.zero_grad()
        for part, wanted in zip(images.chunk(recipe.accumulation), targets.chunk(recipe.accumulation)):
            with autocast(device, dtype):
                outputs = forward(part).float()
            scaler.scale(loss(outputs, wanted) / recipe.accumulation).backward()
        scaler.step(steps)
        scaler.update()

    return _measured(step, faces)


def inference(network: nn.Module, inputs: Inputs, faces: Tensor, recipe: Train) -> Speed:
    """The speed of judging `faces`, uint8 N×H×W or N×H×W×3, in one batch, as a trained network is used."""
    return _measured(lambda: logits(network, inputs, faces, recipe.precision, recipe.test_flips), faces)


def _measured(work: Callable[[], object], faces: Tensor) -> Speed:
    """By the median time that `work` takes, warmed up, the device waited for; the energy is that of a second round."""
    from torch.utils.benchmark import Timer  # it looks for a CUDA compiler, and may say that there is none

    timer = Timer("work()", globals={"work": work}, num_threads=torch.get_num_threads())
    seconds = timer.blocked_autorange(min_run_time=SECONDS).median
    speed, before = len(faces) / seconds, joules(faces.device)
    if before is None:
        return Speed(speed, None)
    times = round(SECONDS / seconds) + 1
    for _ in range(times):
        work()
    return Speed(speed, (joules(faces.device) - before) / (times * len(faces)))


def name(device: torch.device) -> str:
    """What the device calls itself."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    facts = Path("/proc/cpuinfo")  # Linux
    lines = facts.read_text().splitlines() if facts.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


@torch.inference_mode()
def flops(network: nn.Module, channels: int, size: int) -> int:
    """Floating-point operations of one forward pass of one image of `channels`×size×size.

    Those of convolutions, matrix products and attention, a multiplication and an addition being two; the rest is
    little beside them.
    """
    network.eval()
    image = torch.zeros(1, channels, size, size, device=next(network.parameters()).device)
    with FlopCounterMode(display=False) as counter:
        network(image)
    return counter.get_total_flops()


def joules(device: torch.device) -> float | None:
    """What a GPU has used so far, since its driver was loaded, the work given to it waited for.

    None of a device that does not tell: a CPU, a GPU older than NVIDIA's Volta, another vendor's, a part of a GPU.
    """
    if device.type != "cuda":
        return None
    torch.cuda.synchronize(device)
    try:
        pynvml.nvmlInit()
        gpu = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu) / 1000  # it counts in millijoules
    except pynvml.NVMLError:
        return None
