"""How a CUDA graph is chosen, with a stand-in for CUDA: replaying computes the captured step again, in place."""

from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from stages.training import cuda_graph
from stages.training.batches import MicroBatches
from stages.training.cuda_graph import GraphedGradients


class Step:
    """A step of a small network with dropout and batch normalisation, and the stand-in for CUDA that captures it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: float = 0.0, fault: str = "") -> None:
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3))
        self.captured: list = []

        @contextmanager
        def graph(_: object):
            if fault:
                raise RuntimeError(fault + "\nCUDA call was made here")
            self.captured.append(None)
            yield

        def replay() -> None:
            inputs, results, gradients = self.captured[-1]
            before = [weights.grad for weights in self.network.parameters()]
            again = self.compute(inputs)
            for old, new in zip(results, again, strict=True):
                old.copy_(new + error)
            for old, other, weights in zip(gradients, before, self.network.parameters(), strict=True):
                old.copy_(weights.grad)
                weights.grad = other

        stream = SimpleNamespace(wait_stream=lambda _: None)
        for name, stand_in in {
            "CUDAGraph": lambda: SimpleNamespace(replay=replay),
            "graph": graph,
            "Stream": lambda: stream,
            "stream": lambda _: nullcontext(),
            "current_stream": lambda: stream,
            "current_device": lambda: 0,
            "default_generators": [torch.default_generator],
        }.items():
            monkeypatch.setattr(torch.cuda, name, stand_in)

    def compute(self, micro_batches: MicroBatches) -> tuple[torch.Tensor, torch.Tensor]:
        self.network.zero_grad()
        ((images, probabilities),) = micro_batches
        outputs = self.network(images)
        loss = -(outputs.log_softmax(1) * probabilities).sum(1).mean()
        loss.backward()
        results = outputs.detach(), loss.detach()
        if self.captured and self.captured[-1] is None:
            self.captured[-1] = micro_batches, results, [weights.grad for weights in self.network.parameters()]
        return results


def steps(compute: Callable, network: nn.Module) -> list[torch.Tensor]:
    """Return what three steps of different batches compute."""
    found = []
    for number in range(3):
        torch.manual_seed(number)
        images = torch.randn(6, 4, generator=torch.Generator().manual_seed(number))
        returned = compute([(images, torch.eye(3).repeat(2, 1))])
        found += [*returned, *(weights.grad.clone() for weights in network.parameters())]
        found += [buffer.clone() for buffer in network.buffers()]
    return found


@pytest.mark.parametrize(
    ("seconds", "stand_in", "said"),
    [
        ((1.0, 2.0), {}, "2.00 times as fast as single operations"),
        ((2.0, 1.0), {}, "not used, because it is not faster"),
        ((1.0, 2.0), {"error": 1e-6}, "not used, because its results differ"),
        ((1.0, 2.0), {"fault": "operation not permitted"}, "not used (operation not permitted)"),
    ],
)
def test_results_are_those_of_single_operations_whether_or_not_the_graph_is_used(
    seconds: tuple, stand_in: dict, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    with monkeypatch.context() as context:
        step = Step(context)
        expected = steps(step.compute, step.network)
    durations = iter(seconds)
    monkeypatch.setattr(cuda_graph, "_seconds", lambda *_: next(durations))
    step = Step(monkeypatch, **stand_in)
    found = steps(GraphedGradients(step.compute, step.network), step.network)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert capsys.readouterr().err == f"CUDA graph of the gradients: {said}\n"
