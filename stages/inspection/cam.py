"""Class activation maps: which regions of a face a network's prediction depends on."""

import cv2
import numpy as np
from pytorch_grad_cam import HiResCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from stages.base.progress import progress
from stages.inspection.cam_layer import as_feature_maps, target_layer

OPACITY = 0.75  # of the heat map where the activation is 1


def activation_maps(network: nn.Module, images: Tensor, classes: list[int]) -> np.ndarray:
    """Compute how much each region of each image contributes to the score of one class.

    The method is HiResCAM (R. Draelos and L. Carin, Use HiResCAM instead of Grad-CAM for faithful explanations of
    convolutional neural networks, arXiv 2011.08891, 2020). Grad-CAM (R. Selvaraju et al., ICCV 2017) weights a whole
    feature map by its mean gradient, which is wrong where feature maps are flattened into dense layers; HiResCAM
    weights each position by its own gradient.

    Args:
        network: maps images to logits N×K; it is set to evaluation mode and its parameters no longer require gradients.
        images: the network's normalised input, float32, N×C×H×W, N at least 1.
        classes: N classes, one for each image, 0 to K - 1.

    Returns:
        float32, N×H×W, 0 to 1. The largest value of a map is 1; a map without a positive contribution is 0 everywhere.

    Raises:
        InputError: if no layer of the network has feature maps.
    """
    network.eval().requires_grad_(False)
    layer = target_layer(network, images[:1])
    pairs = list(zip(images.split(1), classes, strict=True))  # one image at a time, to save memory
    with layer.register_forward_hook(_require_gradient):
        cam = HiResCAM(network, [layer], as_feature_maps)
        bar = progress(pairs, "activation maps", unit=" faces")
        return np.concatenate([cam(image, [ClassifierOutputTarget(number)]) for image, number in bar])


def _require_gradient(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
    """Start the gradient graph at this layer: nothing before it needs a gradient."""
    return output.detach().requires_grad_()


def overlay(face: np.ndarray, cam: np.ndarray) -> np.ndarray:
    """Draw an activation map as a heat map over a face.

    Args:
        face: uint8, H×W or H×W×3 (RGB); it is drawn in grey.
        cam: float32, 0 to 1, of any size; where it is 0 the face is unchanged.

    Returns:
        uint8, H×W×3 (RGB).
    """
    grey = face if face.ndim == 2 else cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    cam = cv2.resize(cam, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    heat = cv2.applyColorMap(np.rint(255 * cam).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    opacity = OPACITY * cam[..., None]
    return np.rint((1 - opacity) * grey[..., None] + opacity * heat).astype(np.uint8)
