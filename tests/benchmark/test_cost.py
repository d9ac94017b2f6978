"""What a model costs: operations counted as by hand, speeds as they are, and the stage as a real process."""

import json
from functools import partial

import pytest
import torch
from torch import nn
from torch.utils import benchmark

from helpers.project import Project
from stages.benchmark import profiling
from stages.benchmark.profiling import flops
from stages.models.networks import build
from stages.models.preprocessing import Inputs
from stages.params.train import Train

INPUTS = Inputs(16, [0.5], [0.25])
FACES = torch.randint(256, (8, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


class Slow(nn.Module):
    """A network whose every forward pass takes a hundredth of a second by a clock of its own; it notes what it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.seen, self.seconds = nn.Linear(16 * 16, 3), set(), 0.0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seconds += 0.01
        self.seen.add(len(images))
        return self.layer(images.flatten(1))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """It is timed by its own clock, which no load of the machine can slow."""
    network = Slow()
    monkeypatch.setattr(benchmark, "Timer", partial(benchmark.Timer, timer=lambda: network.seconds))
    return network


RECIPE = Train.load().model_copy(update={"precision": "float32"})


def test_operations_are_those_counted_by_hand() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 5), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 12 * 12, 7))
    assert flops(network, 3, 16) == 2 * (4 * 12 * 12 * 3 * 5 * 5 + 4 * 12 * 12 * 7)
    width, tokens = 768, 5  # four patches and the class
    block = tokens * width * 4 * width + 2 * tokens**2 * width + 2 * tokens * width * 4 * width
    assert flops(build("vit_mod", 7, 1, 20, None), 1, 20) == 2 * (4 * 10 * 10 * width + 12 * block + 7 * width)


def test_speeds_are_those_of_the_network(network: Slow) -> None:
    assert profiling.inference_speed(network, INPUTS, FACES, RECIPE).images_per_second == pytest.approx(800)
    assert network.seen == {8} and network.seconds > profiling.MIN_SECONDS
    two_views = RECIPE.model_copy(update={"test_views": 2})
    assert profiling.inference_speed(network, INPUTS, FACES, two_views).images_per_second == pytest.approx(400)


def test_training_steps_are_the_recipes(network: Slow) -> None:
    before = network.layer.weight.detach().clone()
    assert profiling.training_speed(network, INPUTS, FACES, 3, RECIPE).images_per_second == pytest.approx(800)
    assert network.seen == {8} and network.training and not torch.equal(before, network.layer.weight)
    network.seen.clear()
    parts = RECIPE.model_copy(update={"accumulation": 4})
    assert profiling.training_speed(network, INPUTS, FACES, 3, parts).images_per_second == pytest.approx(200)
    assert network.seen == {2}


def test_energy_is_what_the_device_counts_for_an_image(network: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    assert profiling.inference_speed(network, INPUTS, FACES, RECIPE).joules_per_image is None  # a CPU does not tell
    monkeypatch.setattr(profiling, "joules", lambda device: 100 * network.seconds)  # a device of 100 W
    for found in (
        profiling.inference_speed(network, INPUTS, FACES, RECIPE),
        profiling.training_speed(network, INPUTS, FACES, 3, RECIPE),
    ):
        assert found.joules_per_image == pytest.approx(100 / 800)


def test_the_stage(project: Project) -> None:
    project.edit("params.yaml", ("mini_xception: {input_size: 64}", "mini_xception: {batch_size: 16, accumulation: 8}"))
    said = project.stage("benchmark.cost", "--model", "mini_xception", "--threads", "1")
    cost = json.loads((project.folder / "data/costs/mini_xception.json").read_text())
    network = build("mini_xception", 7, 1, 48, None)
    assert cost["parameters"] == sum(weights.numel() for weights in network.parameters())
    assert cost["flops"] == flops(network, 1, 48) and f"{cost['flops']:,}" in said
    assert cost["inference_images_per_second"] > cost["training_images_per_second"] > 1  # which goes two by two
    assert torch.cuda.is_available() or not any("joules" in name for name in cost)
    assert cost["batch_size"] == 16 and cost["threads"] == 1 and cost["device"]
