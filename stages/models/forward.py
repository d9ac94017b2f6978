"""The forward pass in evaluation mode, for validation, test and prediction."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from stages.faces.table import Selection
from stages.models import hardware
from stages.models.preprocessing import Inputs

SHIFT = 1 / 24  # of the side: the shift of the test views, two pixels of 48


@torch.inference_mode()
def logits(
    network: nn.Module,
    inputs: Inputs,
    faces: Tensor | Selection,
    precision: str = "float32",
    views: int = 1,
    batch_size: int = 256,
) -> Tensor:
    """Return the logits of faces. The network is switched to evaluation mode and stays on its device.

    Args:
        network: maps float32 images N×C×size×size to logits N×classes.
        inputs: the preprocessing that the network was trained with.
        faces: uint8, N×H×W (grey) or N×H×W×3 (RGB), 0 to 255.
        precision: `auto`, `float32`, `bfloat16` or `float16`, as in `hardware.precision`. Trained models are used in
            float32, whatever they were trained in, so that all CPUs and ONNX give the same but for rounding.
        views: number of views of each face whose logits are averaged (see `views_of`).
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
            outputs.append(torch.stack([network(view).float() for view in views_of(images, views)]).mean(0))
        return torch.cat(outputs)


def model_logits(network: nn.Module, config: dict[str, Any], faces: Tensor | Selection) -> Tensor:
    """Return the logits of faces by a trained model, with its preprocessing and its test views.

    Args:
        network: the trained network.
        config: its config, as `saved_model.load` returns both.
        faces: uint8, N×H×W (grey) or N×H×W×3 (RGB), 0 to 255.

    Returns:
        float32, N×classes, on the device of the network.
    """
    return logits(network, Inputs(**config["inputs"]), faces, views=config["recipe"]["test_views"])


def views_of(images: Tensor, count: int) -> list[Tensor]:
    """Return views of square images, each N×C×H×H.

    Ten views are those of Krizhevsky et al., ImageNet classification with deep convolutional neural networks, NeurIPS
    2012, but for the edges: shifted images repeat their outermost pixels, as distorted faces do in training.

    Args:
        images: N×C×H×H.
        count: 1: the images; 2: the images and their mirror images; 10: both also shifted towards the four corners.
    """
    views = [images]
    if count == 10:
        size, shift = images.shape[-1], max(1, round(SHIFT * images.shape[-1]))
        padded = functional.pad(images, [shift] * 4, mode="replicate")
        corners = [(y, x) for y in (0, 2 * shift) for x in (0, 2 * shift)]
        views += [padded[..., y : y + size, x : x + size] for y, x in corners]
    return views if count == 1 else [view for image in views for view in (image, image.flip(3))]
