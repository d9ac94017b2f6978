"""Measure the computational cost of one model on this machine → data/costs/<model>.json.

    python -m stages.benchmark.cost --model cnn5 --threads 1

Speeds differ from run to run, so only the comparison depends on them. The images are random: other data do not cause a
new measurement.
"""

import argparse
from pathlib import Path

import torch

from stages.base.errors import guard
from stages.base.files import write_json
from stages.benchmark.profiling import flops, inference_speed, training_speed
from stages.models import hardware
from stages.models.networks import build
from stages.models.preprocessing import Inputs
from stages.params.data import Data
from stages.params.models import load_recipe
from stages.training.gpu_batch import for_device


def main() -> None:
    """Measure parameters, FLOPs, and the speed of training and inference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="one of `models` in params.yaml")
    parser.add_argument("--threads", type=int, help="CPU threads; default: the number of cores")
    options = parser.parse_args()
    device, data = hardware.device(), Data.load()
    recipe = for_device(load_recipe(options.model), device)
    hardware.deterministic(0, options.threads, device)

    inputs = Inputs(recipe.input_size or data.size, [0.5] * data.channels, [0.25] * data.channels)
    network = build(recipe.arch, len(data.labels), data.channels, inputs.size, recipe.dropout)
    network.to(device)
    network.to(memory_format=torch.channels_last)
    shape = (recipe.batch_size, data.size, data.size, *([data.channels] if data.channels > 1 else []))
    faces = torch.randint(256, shape, dtype=torch.uint8).to(device)
    speeds = {
        "inference": inference_speed(network, inputs, faces, recipe),
        "training": training_speed(network, inputs, faces, len(data.labels), recipe),
    }
    cost = {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "flops": flops(network, data.channels, inputs.size),
        "batch_size": recipe.batch_size,
        "precision": str(hardware.precision(device, recipe.precision)).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "device": hardware.device_name(device),
    }
    for mode, speed in speeds.items():
        cost[f"{mode}_images_per_second"] = round(speed.images_per_second, 1)
        if speed.joules_per_image is not None:
            cost[f"{mode}_joules_per_image"] = round(speed.joules_per_image, 6)
    write_json(cost, Path(f"data/costs/{options.model}.json"))
    rates = ", ".join(f"{speed.images_per_second:.0f} images/s in {mode}" for mode, speed in speeds.items())
    print(f"{options.model}: {cost['parameters']:,} parameters, {cost['flops']:,} FLOPs per image, {rates}")


if __name__ == "__main__":
    guard(main)
