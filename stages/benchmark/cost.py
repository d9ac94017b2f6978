"""Measure what one architecture costs on this machine → data/costs/<model>.json.

Its speeds are of the machine and the moment: no two runs write the same. So nothing but the comparison depends on it,
and as it reads no face, new data does not make it measure again.
"""

import argparse
import json
from pathlib import Path

import torch

from stages.base import params
from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.benchmark.profiling import flops, inference, name, training
from stages.models import hardware
from stages.models.networks import build
from stages.models.preprocessing import Inputs


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", help="in place of params.yaml's")
    options.add_argument("--threads", type=int, help="on the CPU; else as many as there are cores")
    given = options.parse_args()
    p = params.load().chosen(given.model, None, None)
    recipe, labels = p.recipe, p.data.labels
    side, channels = p.data.size, p.data.channels
    hardware.deterministic(0, given.threads)
    device = hardware.device()

    inputs = Inputs(recipe.input_size or side, [0.5] * channels, [0.25] * channels)
    network = build(recipe.arch, len(labels), channels, inputs.size, recipe.dropout)
    network.to(device, memory_format=torch.channels_last)
    shape = (recipe.batch_size, side, side, *([channels] if channels > 1 else []))
    faces = torch.randint(256, shape, dtype=torch.uint8).to(device)
    speeds = {
        "inference": inference(network, inputs, faces, recipe),
        "training": training(network, inputs, faces, len(labels), recipe),
    }
    cost = {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "flops": flops(network, channels, inputs.size),
        "batch_size": recipe.batch_size,
        "precision": str(hardware.precision(device, recipe.precision)).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "device": name(device),
    }
    for part, speed in speeds.items():
        cost[f"{part}_images_per_second"] = round(speed.images_per_second, 1)
        if speed.joules_per_image is not None:
            cost[f"{part}_joules_per_image"] = round(speed.joules_per_image, 6)
    with atomic_output(Path(f"data/costs/{p.model}.json")) as path:
        path.write_text(json.dumps(cost, indent=2) + "\n", encoding="utf-8")
    told = ", ".join(f"{speed.images_per_second:.0f} images/s in {part}" for part, speed in speeds.items())
    print(f"{p.model}: {cost['parameters']:,} parameters, {cost['flops']:,} FLOPs an image, {told}")


if __name__ == "__main__":
    guard(main)
