"""Weights of dlib's network that learned to recognise people on three million faces, from a package of PyPI.

They are by King (dlib-models, 2017; CC0). The faces are of FaceScrub, of the VGG face data set, and from the web; they
have no labels of expressions.
"""

import re

import numpy as np
import torch
from torch import Tensor

from stages.models.packages import file_from_pypi

WEIGHTS = (
    "face-recognition-models",
    "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
)
# The name of a layer, the version of the format, and the number of bytes of the number of its weights. That number, the
# six bytes of three further dimensions of 1, and the weights follow (see serialize in dlib/cuda/tensor.h).
LAYER = re.compile(rb"(?:con_4|affine_)\x01\x02([\x01-\x04])")
# Red, green and blue. dlib subtracts its mean from levels of 0 to 255, and divides by 256.
DLIB_MEAN = 122.782, 117.001, 104.298
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def dlib_weights(channels: int) -> list[tuple[Tensor, Tensor]]:
    """Return weight and bias of each convolution, for images that are normalised to mean 0 and standard deviation 1.

    Args:
        channels: of the images, 1 (grey) or 3 (RGB).

    Raises:
        InputError: the package is not installed, or has other weights.
    """
    tensors = _read(file_from_pypi(*WEIGHTS).read_bytes())
    layers: list[tuple[Tensor, Tensor]] = []
    for convolution, affine in zip(tensors[::2], tensors[1::2], strict=True):
        scale, shift = affine.chunk(2)
        side = 3 if layers else 7
        kernels = convolution[: -len(scale)].view(len(scale), -1, side, side)
        layers.append((kernels * scale.view(-1, 1, 1, 1), convolution[-len(scale) :] * scale + shift))
    stem, bias = layers[0]
    bias = bias + stem.sum((2, 3)) @ (255 * torch.tensor(IMAGENET_MEAN) - torch.tensor(DLIB_MEAN)) / 256
    stem = stem * (255 / 256 * torch.tensor(IMAGENET_STD)).view(1, 3, 1, 1)
    return [(stem.sum(1, keepdim=True) if channels == 1 else stem, bias), *layers[1:]]


def _read(content: bytes) -> list[Tensor]:
    """Return the weights of the layers in their order: each convolution, then scales and shifts of its maps."""
    tensors = []
    for layer in LAYER.finditer(content):
        start = layer.end() + layer[1][0]
        count = int.from_bytes(content[layer.end() : start], "little")
        tensors.append(torch.from_numpy(np.frombuffer(content, "<f4", count, start + 6).copy()))
    return tensors
