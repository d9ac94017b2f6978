"""ImageNet weights: their download, and their transfer to networks with other classes and channels."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
from torch import Tensor, nn
from torchvision.models import googlenet

from helpers.hub_server import serve
from helpers.project import ENVIRONMENT, ROOT
from stages.base.errors import InputError
from stages.models.networks import build
from stages.models.preprocessing import Inputs

RESNET18 = "/timm/resnet18.a1_in1k/resolve/main/model.safetensors"
BUILD = """
import sys
import safetensors.torch
from stages.base.errors import InputError
from stages.models.networks import build
folder = sys.argv[1]
for arch, channels in (("resnet18", 3), ("resnet18", 1), ("vgg16", 1), ("timm/convnext_tiny", 3)):
    try:
        network = build(arch, 7, channels, 64, None, init="imagenet")
    except InputError as error:
        print(error)
    else:
        name = f"{network.__class__.__name__}-{channels}.safetensors"
        safetensors.torch.save_file(network.state_dict(), f"{folder}/{name}")
"""


def changed(network: nn.Module) -> nn.Module:
    """Return `network` in evaluation mode, with every tensor changed from its initial value."""
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor += 0.01 * torch.rand(tensor.shape)
    return network.eval()


def built(home: Path, hub: str, folder: Path) -> list[str]:
    """Build networks in a new process with downloads cached in `home`; save them, and return the printed lines."""
    folder.mkdir()
    environment = {name: value for name, value in ENVIRONMENT.items() if not name.startswith("HF_")}
    environment |= {"HF_HOME": str(home), "HF_ENDPOINT": hub, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_weights_come_from_the_hub_once(tmp_path: Path) -> None:
    torch.manual_seed(0)
    source = changed(timm.create_model("resnet18"))
    with serve({RESNET18: safetensors.torch.save(source.state_dict())}) as hub:
        lines = built(tmp_path / "home", hub, tmp_path / "served")
    for name, line in zip(("vgg16_bn", "convnext_tiny"), lines, strict=True):  # the hub answers 404
        assert line.startswith(f"params.yaml: init: the ImageNet weights of {name} could not be loaded (")
        assert "404" in line and line.endswith("connect once to download them, or set init: random")

    lines = built(tmp_path / "home", hub, tmp_path / "absent")  # the hub is no longer running
    for name, line in zip(("vgg16_bn", "convnext_tiny"), lines, strict=True):
        assert line.startswith(f"params.yaml: init: the ImageNet weights of {name} could not be loaded (")

    networks = {}
    for channels in (1, 3):
        name = f"ResNet-{channels}.safetensors"
        weights = safetensors.torch.load_file(tmp_path / "served" / name)
        again = safetensors.torch.load_file(tmp_path / "absent" / name)
        for key, tensor in source.state_dict().items():
            if not key.startswith("fc.") and (key != "conv1.weight" or channels == 3):
                assert torch.equal(weights[key], tensor) and torch.equal(again[key], tensor), key
        assert weights["fc.weight"].shape == (7, 512)
        networks[channels] = build("resnet18", 7, channels, 64, None).eval()
        networks[channels].load_state_dict(weights)
    assert_same_on_grey(networks[1], networks[3])


def assert_same_on_grey(grey: nn.Module, rgb: nn.Module) -> None:
    """Check that both networks, given the same classifier, have the same logits for grey images."""
    grey.fc.load_state_dict(rgb.fc.state_dict())
    images = torch.rand(2, 1, 64, 64)
    with torch.inference_mode():
        expected = rgb.eval()(images.expand(-1, 3, -1, -1))
        torch.testing.assert_close(grey.eval()(images), expected, atol=1e-3, rtol=1e-3)
        assert not torch.allclose(expected[0], expected[1], atol=1e-5)  # the logits depend on the image


@pytest.fixture
def torchvision_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """Save random weights where torchvision caches those of ImageNet."""
    torch.manual_seed(0)
    weights = changed(googlenet(init_weights=False, aux_logits=True)).state_dict()
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    torch.save(weights, tmp_path / "hub/checkpoints/googlenet-1378be20.pth")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return weights


def test_googlenet_computes_the_same_as_torchvision(torchvision_weights: dict[str, Tensor]) -> None:
    published = googlenet(init_weights=False, aux_logits=True, transform_input=True)
    published.load_state_dict(torchvision_weights)
    network = build("googlenet", 7, 3, 64, None, init="imagenet")
    for key, tensor in network.state_dict().items():
        if not key.startswith(("fc.", "conv1.")):
            assert torch.equal(tensor, torchvision_weights[key]), key
    images = Inputs(64, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])(torch.randint(0, 256, (2, 64, 64, 3)).byte())
    with torch.inference_mode():
        expected = published.eval().conv1(published._transform_input(images))
        maps = network.eval().conv1(images)
    inner = (..., slice(2, -2), slice(2, -2))  # but for the border, which torchvision pads after its step
    torch.testing.assert_close(maps[inner], expected[inner], atol=1e-4, rtol=1e-4)


def test_googlenet_in_grey(torchvision_weights: dict[str, Tensor]) -> None:
    assert_same_on_grey(*(build("googlenet", 7, channels, 64, None, init="imagenet") for channels in (1, 3)))


class Code:
    """An object that runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("content", ["code", "other weights", "nothing"])
def test_a_cached_file_that_is_not_googlenet_raises_an_error_and_runs_no_code(
    content: str, tmp_path: Path, torchvision_weights: dict[str, Tensor]
) -> None:
    path = tmp_path / "hub/checkpoints/googlenet-1378be20.pth"
    match content:
        case "code":
            torch.save(Code(tmp_path / "mark"), path)
        case "other weights":
            torch.save({"weight": torch.zeros(1)}, path)
        case "nothing":
            path.write_bytes(b"")
    with pytest.raises(InputError, match="of googlenet could not be loaded") as error:
        build("googlenet", 7, 1, 64, None, init="imagenet")
    assert "\n" not in str(error.value) and not (tmp_path / "mark").exists()


def test_googlenet_without_a_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve({}) as address:
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        monkeypatch.setenv("https_proxy", address)  # a proxy that cannot connect
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with pytest.raises(InputError, match="of googlenet could not be loaded.*connect once.* init: random") as error:
            build("googlenet", 7, 1, 64, None, init="imagenet")
    assert "\n" not in str(error.value)
    assert not list((tmp_path / "hub/checkpoints").iterdir())


def test_timm_without_imagenet_weights() -> None:
    with pytest.raises(InputError, match="no ImageNet weights of darknet17; choose another one, or init: random"):
        build("timm/darknet17", 7, 1, 64, None, init="imagenet")
    assert build("timm/darknet17", 7, 1, 64, None)(torch.rand(2, 1, 64, 64)).shape == (2, 7)
