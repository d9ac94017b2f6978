"""A CUDA graph of the gradients' computation: the GPU runs all its operations without waiting for the host.

Small networks have hundreds of operations a step, and launching each from Python takes longer than computing it.
"""

import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from tqdm import tqdm

from stages.training.batches import MicroBatches

Gradients = Callable[[MicroBatches], tuple[Tensor, Tensor]]
ROUNDS = 20  # steps that are timed


class GraphedGradients:
    """Computes gradients as `compute` does, by replaying a CUDA graph, which is captured in the first call.

    If the capture fails, if the graph's results differ from those of `compute`, or if replaying is not faster,
    `compute` itself is called from then on. A line says which of the two it is.

    Args:
        compute: sets the gradients of the network's weights, replacing those before, and returns two tensors.
        network: the network, on a GPU.
    """

    def __init__(self, compute: Gradients, network: nn.Module) -> None:
        self._compute, self._network = compute, network
        self._chosen: Gradients | None = None

    def __call__(self, micro_batches: MicroBatches) -> tuple[Tensor, Tensor]:
        """Set the gradients of the network's weights and return what `compute` returns."""
        if not self._chosen:
            self._chosen, reason = self._choose(micro_batches)
            tqdm.write(f"CUDA graph of the gradients: {reason}", sys.stderr)
        return self._chosen(micro_batches)

    def _choose(self, micro_batches: MicroBatches) -> tuple[Gradients, str]:
        """Return the way to compute gradients, and the reason. The network and the random numbers do not change."""
        generator = torch.cuda.default_generators[torch.cuda.current_device()]
        seed, buffers = generator.initial_seed(), [buffer.clone() for buffer in self._network.buffers()]

        def restore() -> None:
            generator.manual_seed(seed)
            for buffer, before in zip(self._network.buffers(), buffers, strict=True):
                buffer.copy_(before)

        def results(way: Gradients) -> list[Tensor]:
            """Return copies of everything that a call of `way` sets."""
            restore()
            returned = way(micro_batches)
            gradients = [weights.grad for weights in self._network.parameters() if weights.grad is not None]
            return [tensor.clone() for tensor in (*returned, *gradients, *self._network.buffers())]

        try:
            replay = self._capture(micro_batches)
        except RuntimeError as error:
            restore()
            return self._compute, f"not used ({str(error).splitlines()[0]})"
        pairs = zip(results(replay), results(self._compute), strict=True)
        same = all(torch.equal(one, other) for one, other in pairs)
        graphed, single = (_seconds(way, micro_batches) for way in (replay, self._compute))
        restore()
        if not same:
            return self._compute, "not used, because its results differ"
        if graphed >= single:
            return self._compute, "not used, because it is not faster"
        return replay, f"{single / graphed:.2f} times as fast as single operations"

    def _capture(self, micro_batches: MicroBatches) -> Gradients:
        inputs = [(images.clone(), probabilities.clone()) for images, probabilities in micro_batches]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):  # libraries allocate their workspaces
                self._compute(inputs)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            outputs, loss = self._compute(inputs)
        gradients = [(weights, weights.grad) for weights in self._network.parameters()]

        def replay(micro_batches: MicroBatches) -> tuple[Tensor, Tensor]:
            for fixed, new in zip(inputs, micro_batches, strict=True):
                for tensor, values in zip(fixed, new, strict=True):
                    tensor.copy_(values)
            graph.replay()
            for weights, gradient in gradients:
                weights.grad = gradient
            return outputs.clone(), loss.clone()  # the next replay overwrites them

        return replay


def _seconds(way: Gradients, micro_batches: MicroBatches) -> float:
    """Return the duration of `ROUNDS` calls, after one that is not timed."""
    way(micro_batches)
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(ROUNDS):
        way(micro_batches)
    torch.cuda.synchronize()
    return time.perf_counter() - start
