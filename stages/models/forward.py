"""The forward pass over faces, shared by validation and test."""

import torch
from torch import Tensor, nn

from stages.models.hardware import autocast
from stages.models.inputs import Inputs


@torch.inference_mode()
def logits(network: nn.Module, inputs: Inputs, faces: Tensor, batch_size: int = 256) -> Tensor:
    """A network's logits, float32 N×classes, for uint8 faces N×H×W or N×H×W×3 on its device."""
    network.eval()
    with autocast(faces.device):
        return torch.cat([network(inputs(batch)).float() for batch in faces.split(batch_size)])
