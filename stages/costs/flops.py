"""How much a network computes, whatever the machine."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


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
