"""The forward pass over faces, shared by validation and test."""

import torch
from torch import Tensor, nn

from stages.faces.table import Selection
from stages.models.hardware import autocast, precision
from stages.models.preprocessing import Inputs


@torch.inference_mode()
def logits(
    network: nn.Module,
    inputs: Inputs,
    faces: Tensor | Selection,
    wanted: str = "auto",
    flips: bool = False,
    batch_size: int = 256,
) -> Tensor:
    """A network's logits, float32 N×classes, on its device, for uint8 faces N×H×W or N×H×W×3.

    `wanted` is a precision as in `hardware.precision`; with `flips` they are the mean over each face and its mirror
    image.
    """
    network.eval()
    device = next(network.parameters()).device
    with autocast(device, precision(device, wanted)):
        outputs = []
        for start in range(0, len(faces), batch_size):
            images = inputs(torch.as_tensor(faces[start : start + batch_size]).to(device))
            views = (images, images.flip(3)) if flips else (images,)
            outputs.append(torch.stack([network(view).float() for view in views]).mean(0))
        return torch.cat(outputs)
