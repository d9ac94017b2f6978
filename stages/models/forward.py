"""The forward pass in evaluation mode, for validation, test and prediction."""

import torch
from torch import Tensor, nn

from stages.faces.table import Selection
from stages.models import hardware
from stages.models.preprocessing import Inputs


@torch.inference_mode()
def logits(
    network: nn.Module,
    inputs: Inputs,
    faces: Tensor | Selection,
    precision: str = "auto",
    flips: bool = False,
    batch_size: int = 256,
) -> Tensor:
    """Return the logits of faces. The network is switched to evaluation mode and stays on its device.

    Args:
        network: maps float32 images N×C×size×size to logits N×classes.
        inputs: the preprocessing that the network was trained with.
        faces: uint8, N×H×W (grey) or N×H×W×3 (RGB), 0 to 255.
        precision: `auto`, `float32`, `bfloat16` or `float16`, as in `hardware.precision`.
        flips: whether to average the logits of each face and of its mirror image.
        batch_size: faces per forward pass.

    Returns:
        float32, N×classes, on the device of the network.
    """
    network.eval()
    device = next(network.parameters()).device
    with hardware.autocast(device, hardware.precision(device, precision)):
        outputs = []
        for start in range(0, len(faces), batch_size):
            images = inputs(torch.as_tensor(faces[start : start + batch_size]).to(device))
            views = (images, images.flip(3)) if flips else (images,)
            outputs.append(torch.stack([network(view).float() for view in views]).mean(0))
        return torch.cat(outputs)
