"""Where a network looks: class activation maps."""

import cv2
import numpy as np
from pytorch_grad_cam import HiResCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn
from tqdm import tqdm

from stages.inspection.cam_layer import as_maps, last_layer

COVER = 0.75  # how much of the face the map hides where it is 1


def maps(network: nn.Module, images: Tensor, classes: list[int]) -> np.ndarray:
    """How much each place of each image speaks for the class given for it: float32 N×H×W, 0 to 1, the most being 1.

    `images` are a network's input, N×C×H×W with N at least 1. HiResCAM (Draelos and Carin, 2020): Grad-CAM (Selvaraju
    et al., 2017) with the gradient of each place for its own, not their mean, which does not show what is looked at
    where maps are flattened into dense layers. Where no place speaks for the class, the map is 0.
    Raises InputError where the network tells no places apart.
    """
    network.eval().requires_grad_(False)
    layer = last_layer(network, images[:1])
    pairs = tqdm(list(zip(images.split(1), classes)), "maps", unit=" faces", disable=None)  # one by one, to save memory
    with layer.register_forward_hook(_beginning):
        cam = HiResCAM(network, [layer], as_maps)
        return np.concatenate([cam(image, [ClassifierOutputTarget(number)]) for image, number in pairs])


def _beginning(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
    """Let gradients go back as far as this output: they are not asked for before it."""
    return output.detach().requires_grad_()


def overlay(face: np.ndarray, cam: np.ndarray) -> np.ndarray:
    """A face, uint8 H×W or H×W×3, in grey, and over it a map of any size, 0 to 1, as heat: uint8 H×W×3, RGB.

    Where the map is 0 the face is as it was.
    """
    grey = face if face.ndim == 2 else cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    cam = cv2.resize(cam, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    heat = cv2.applyColorMap(np.rint(255 * cam).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    cover = COVER * cam[..., None]
    return np.rint((1 - cover) * grey[..., None] + cover * heat).astype(np.uint8)
