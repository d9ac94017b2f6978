import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from stages.base.errors import InputError
from stages.models import ARCHITECTURES, build
from stages.models.folder import load, save
from stages.models.forward import logits
from stages.models.inputs import Inputs

CONFIG = {
    "architecture": "cnn5",
    "labels": ["happy", "sadness"],
    "channels": 1,
    "inputs": {"size": 16},
    "recipe": {"dropout": 0.3},
}
INPUTS = Inputs(16, [0.5], [0.25])


@pytest.fixture
def faces() -> torch.Tensor:
    return torch.randint(0, 256, (12, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def learnable(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_parameters_as_published() -> None:
    with torch.device("meta"):  # no need to fill them
        cnn5 = build("cnn5", 7, 1, 48, 0.3)
        resnet18 = build("resnet18", 1000, 3, 224, 0.0)
        googlenet = build("googlenet", 1000, 3, 224, 0.0)
    statistics = sum(b.numel() for name, b in cnn5.named_buffers() if name.endswith(("running_mean", "running_var")))
    assert learnable(cnn5) + statistics == 9_741_063  # Keras counts the moving statistics too
    assert learnable(resnet18) == 11_689_512
    assert learnable(googlenet) == 6_624_904


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [48, 75])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_logits_have_one_column_a_class(name: str, size: int, channels: int) -> None:
    assert build(name, 7, channels, size, 0.3)(torch.rand(2, channels, size, size)).shape == (2, 7)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_dropout_is_obeyed(name: str) -> None:
    images = torch.rand(1, 1, 32, 32)
    for dropout, same in ((0.0, True), (0.9, False)):
        network = build(name, 7, 1, 32, dropout).train()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.eval()  # so that only dropout is random
        assert torch.equal(network(images), network(images)) == same


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_overfits_one_batch(name: str) -> None:
    torch.manual_seed(0)
    network, images, targets = build(name, 4, 1, 48, 0.0), torch.randn(8, 1, 48, 48), torch.arange(8) % 4
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    for _ in range(60):
        loss = functional.cross_entropy(network(images), targets)
        if loss < 0.05:
            return
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    pytest.fail(f"the loss stays at {loss:.3f}")


def test_unknown_architecture_names_the_nearest() -> None:
    with pytest.raises(InputError, match="'resnet81'.*did you mean 'resnet18'"):
        build("resnet81", 7, 1, 48, 0.3)


@pytest.mark.parametrize("shape", [(50, 20, 20), (50, 20, 20, 3)])
def test_inputs_have_mean_0_and_deviation_1(shape: tuple[int, ...]) -> None:
    faces = np.random.default_rng(0).integers(20, 200, shape, dtype=np.uint8)
    faces[..., -1] //= 2  # channels that differ
    images = Inputs.measured(faces, 20)(torch.from_numpy(faces))
    assert images.shape == (50, 1 if len(shape) == 3 else 3, 20, 20)
    torch.testing.assert_close(images.mean((0, 2, 3)), torch.zeros(images.shape[1]), atol=1e-4, rtol=0)
    torch.testing.assert_close(images.std((0, 2, 3)), torch.ones(images.shape[1]), atol=1e-3, rtol=0)


def test_inputs_of_one_grey_are_finite() -> None:
    faces = np.full((2, 16, 16), 7, np.uint8)
    assert Inputs.measured(faces, 16)(torch.from_numpy(faces)).isfinite().all()


def test_inputs_resize_without_skipping_pixels() -> None:
    stripes = torch.tensor([255, 0, 0, 255], dtype=torch.uint8).repeat(12).expand(1, 48, 48)
    small = Inputs(12, [0.0], [1.0])(stripes)
    assert small.shape == (1, 1, 12, 12)
    torch.testing.assert_close(small, torch.full((1, 1, 12, 12), 0.5), atol=0.2, rtol=0)


def test_logits_do_not_depend_on_the_other_faces(faces: torch.Tensor) -> None:
    network = build("cnn5", 2, 1, 16, 0.5)
    together = logits(network, INPUTS, faces)
    assert together.shape == (12, 2) and together.dtype == torch.float32
    torch.testing.assert_close(logits(network, INPUTS, faces, batch_size=5), together, atol=0.02, rtol=0.02)
    torch.testing.assert_close(logits(network, INPUTS, faces.flip(0)).flip(0), together, atol=0.02, rtol=0.02)


def test_a_saved_model_comes_back(tmp_path, faces: torch.Tensor) -> None:
    network = build("cnn5", 2, 1, 16, 0.3).to(memory_format=torch.channels_last)
    save(tmp_path, network, CONFIG)
    back, config = load(tmp_path)
    back.to(memory_format=torch.channels_last)
    assert config == CONFIG and torch.equal(logits(back, INPUTS, faces), logits(network, INPUTS, faces))
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(written) == {"weights.safetensors", "config.json"}
    save(tmp_path, back, config)
    assert written == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", None, "holds no trained model"),
        ("weights.safetensors", None, "holds no trained model"),
        ("config.json", b"{", "not a model"),
        ("config.json", b"[]", "not a model"),
        ("config.json", b"{}", "'architecture'"),
        ("weights.safetensors", b"\x80\x04pickle", "not a model"),
    ],
)
def test_a_damaged_model_is_refused(tmp_path, name: str, content: bytes | None, message: str) -> None:
    save(tmp_path, build("cnn5", 2, 1, 16, 0.3), CONFIG)
    (tmp_path / name).unlink() if content is None else (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        load(tmp_path)
    assert "\n" not in str(error.value)


def test_weights_of_another_shape_are_refused(tmp_path) -> None:
    save(tmp_path, build("cnn5", 3, 1, 16, 0.3), CONFIG)
    with pytest.raises(InputError, match="not a model"):
        load(tmp_path)
