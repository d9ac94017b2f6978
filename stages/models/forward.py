"""The forward pass over faces, shared by validation and test."""

import torch
from torch import Tensor, nn

from stages.models.hardware import autocast, precision
from stages.models.inputs import Inputs


@torch.inference_mode()
def logits(
    network: nn.Module,
    inputs: Inputs,
    faces: Tensor,
    wanted: str = "auto",
    flips: bool = False,
    batch_size: int = 256,
) -> Tensor:
    """A network's logits, float32 N×classes, for uint8 faces N×H×W or N×H×W×3 on its device.

    `wanted` is a precision as in `hardware.precision`; with `flips` they are the mean over each face and its mirror
    image.
    """
    network.eval()
    with autocast(faces.device, precision(faces.device, wanted)):
        outputs = []
        for batch in faces.split(batch_size):
            images = inputs(batch)
            views = (images, images.flip(3)) if flips else (images,)
            outputs.append(torch.stack([network(view).float() for view in views]).mean(0))
        return torch.cat(outputs)
