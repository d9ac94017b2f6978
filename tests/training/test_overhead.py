"""What the training loop adds to the operations of the network itself."""

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from helpers.project import ROOT
from stages.models.hardware import autocast
from stages.models.preprocessing import Inputs
from stages.params.train import Train
from stages.training.dataset import LabelledFaces
from stages.training.loop import Training
from stages.training.objective import loss

STEPS, BATCH = 100, 32


class Counting(TorchDispatchMode):
    """Counts the operations that are dispatched."""

    count = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.count += 1
        return operation(*args, **(kwargs or {}))


def test_a_step_dispatches_few_operations_beyond_those_of_the_network() -> None:
    recipe = Train.load(ROOT / "params.yaml").model_copy(update={"arch": "cnn5", "batch_size": BATCH})
    faces = LabelledFaces(torch.zeros(STEPS * BATCH, 48, 48, dtype=torch.uint8), torch.arange(STEPS * BATCH) % 7)
    network = nn.Sequential(nn.Flatten(), nn.Linear(48 * 48, 7))
    training = Training(network, Inputs(48, [0.5], [0.25]), faces, faces, 7, recipe, 0)
    positions = torch.arange(len(faces)).view(STEPS, BATCH)
    for micro_batches in training.batches.epoch(1, positions[:1]):
        training._step(micro_batches)  # the first step prepares the optimiser
    with Counting() as all_operations:
        for micro_batches in training.batches.epoch(2, positions):
            training._step(micro_batches)
    images, probabilities = micro_batches[0]
    with Counting() as own:
        for _ in range(STEPS):
            network.zero_grad()
            with autocast(training.device, training.dtype):
                outputs = network(images).float()
            loss(outputs, probabilities).backward()
            training.optimizer.step()
    assert own.count >= 10 * STEPS and all_operations.count - own.count <= 10 * STEPS
