import json

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from helpers import saved
from stages.architectures.mini_mobilenet import Block
from stages.architectures.mini_xception import Residual
from stages.architectures.vgg16 import Enlarge
from stages.base.errors import InputError
from stages.models.forward import logits
from stages.models.networks import build, head
from stages.models.preprocessing import Inputs
from stages.models.registry import architecture_names
from stages.models.saved_model import load, save

CONFIG = saved.config()
INPUTS = Inputs(16, [0.5], [0.25])


@pytest.fixture
def faces() -> torch.Tensor:
    return torch.randint(0, 256, (12, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


# A small image size for each network.
SIZES = {"cnn5": 32, "cnn8": 32, "convnet": 48, "mini_xception": 64, "vit_mod": 30, "vit_b16": 32, "dlib_face": 103}
SLOW = {"vgg16", "vit_b16", "vit_mod"}
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in architecture_names()]


def size_of(name: str) -> int:
    return SIZES.get(name, 48)


def learnable(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def statistics(network: nn.Module) -> int:
    """Return the number of moving means and variances, which Keras counts as parameters too."""
    return sum(b.numel() for name, b in network.named_buffers() if name.endswith(("running_mean", "running_var")))


def vit(channels: int, patch: int, patches: int) -> int:
    """Return the parameters of a ViT with 12 layers, width 768 and 7 classes: Dosovitskiy et al. (2021), table 1."""
    embedding = channels * patch**2 * 768 + 768 + 768 + (patches + 1) * 768  # projection, class token, positions
    attention, mlp, norm = 4 * (768 * 768 + 768), 768 * 3072 + 3072 + 3072 * 768 + 768, 2 * 768
    return embedding + 12 * (attention + mlp + 2 * norm) + norm + 768 * 7 + 7


def resnet(channels: int) -> int:
    """Return the parameters of the 18-layer ResNet with 7 classes (He et al., 2016, table 1), without biases."""

    def stage(before: int, after: int) -> int:
        shortcut = before * after + 2 * after if before != after else 0
        return 9 * after * (before + 3 * after) + 4 * 2 * after + shortcut

    stages = stage(64, 64) + stage(64, 128) + stage(128, 256) + stage(256, 512)
    return channels * 49 * 64 + 2 * 64 + stages + 512 * 7 + 7


INCEPTIONS = [  # Szegedy et al. (2015), table 1: 1×1; 3×3 reduce, 3×3; 5×5 reduce, 5×5; pool projection
    (64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64),
    (192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128), (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128),
]  # fmt: skip


def inception(channels: int) -> int:
    """Return the parameters of torchvision's GoogLeNet with 7 classes; it has 3×3 in place of 5×5 convolutions."""

    def conv(before: int, side: int, after: int) -> int:
        return before * side**2 * after + 2 * after

    total, before = conv(channels, 7, 64) + conv(64, 1, 64) + conv(64, 3, 192), 192
    for one, reduce3, three, reduce5, five, pool in INCEPTIONS:
        total += conv(before, 1, one) + conv(before, 1, reduce3) + conv(reduce3, 3, three)
        total += conv(before, 1, reduce5) + conv(reduce5, 3, five) + conv(before, 1, pool)
        before = one + three + five + pool
    return total + before * 7 + 7


@pytest.mark.parametrize(
    ("name", "channels", "size", "parameters"),
    [
        ("cnn5", 1, 48, 9_741_063 - 1_920),  # published in Keras' count, with the statistics
        ("cnn8", 1, 48, 5_902_279),
        ("convnet", 3, 100, 1_792 + 36_928 + 18_464 + 1_638_912 + 32_832 + 455),
        ("mini_xception", 1, 64, 58_423 - 1_472),
        ("vgg16", 3, 224, 134_297_671),
        # convolutions of 576 + 36,864 + … + 2,359,296 weights; 3,840 of batch normalisation; the classifier
        ("vgg8", 1, 48, 4_682_304 + 3_840 + 3_591),
        ("vgg8_half", 1, 48, 1_170_720 + 1_920 + 1_799),
        # depthwise and pointwise convolutions, 1,984 of batch normalisation, the stem and the classifier
        ("mini_mobilenet", 1, 48, 7_776 + 78_848 + 1_984 + 288 + 903),
        ("vgg8", 3, 44, 4_682_304 + 2 * 576 + 3_840 + 3_591),
        ("resnet18_small", 1, 48, resnet(1) - (49 - 9) * 64),
        ("resnet18_small", 3, 64, resnet(3) - 3 * (49 - 9) * 64),
        ("resnet18", 1, 48, resnet(1)),
        ("resnet18", 3, 224, resnet(3)),
        # Howard et al. (2017), table 1, with a bias for each map of a convolution in place of batch normalisation
        ("mobilenet_face", 3, 112, 3_185_088 + 10_944 + 7_175),
        # its 29 convolutions and, for 3,552 maps, scales and shifts, which are part of the convolutions here
        ("dlib_face", 3, 150, 5_581_824 - 2 * 3_552 + 7 * 257),
        ("efficientnet_lite0", 3, 112, 4_652_008 - (1_000 - 7) * 1_281),  # timm's with 1000 classes
        ("googlenet", 1, 96, inception(1)),
        ("googlenet", 3, 224, inception(3)),
        ("vit_b16", 3, 224, vit(3, 16, 14 * 14)),
        ("vit_b16", 1, 96, vit(1, 16, 6 * 6)),
        ("vit_mod", 3, 100, vit(3, 10, 10 * 10)),
    ],
)
def test_the_number_of_parameters_is_as_published(name: str, channels: int, size: int, parameters: int) -> None:
    with torch.device("meta"):  # no need to fill them
        assert learnable(build(name, 7, channels, size, None)) == parameters


@pytest.mark.parametrize(
    ("name", "size", "total"), [("cnn5", 48, 9_741_063), ("cnn8", 48, 5_906_119), ("mini_xception", 64, 58_423)]
)
def test_the_number_of_parameters_is_as_counted_by_keras(name: str, size: int, total: int) -> None:
    with torch.device("meta"):
        network = build(name, 7, 1, size, None)
    assert learnable(network) + statistics(network) == total


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", [*architecture_names(), "timm/convnext_tiny", "timm/deit_tiny_patch16_224"])
def test_logits_have_one_column_per_class(name: str, channels: int) -> None:
    for size in (size_of(name), {"vit_mod": 100, "vit_b16": 96, "dlib_face": 150}.get(name, 80)):
        with torch.device("meta"):
            network = build(name, 7, channels, size, None)
            assert network(torch.rand(2, channels, size, size)).shape == (2, 7)
        assert head(network).weight.shape[0] == 7


def test_the_small_stem_keeps_the_size_of_the_maps() -> None:
    with torch.device("meta"):
        network, faces = build("resnet18_small", 7, 1, 48, None), torch.rand(2, 1, 48, 48)
        assert network.forward_features(faces).shape == (2, 512, 6, 6)
        features = build("vgg8", 7, 1, 48, None)[:-4]
        assert features(faces).shape == (2, 512, 3, 3)


def test_logits_are_raw() -> None:
    for name in ("cnn8", "convnet", "mini_xception"):  # published with a softmax
        network = build(name, 7, 1, size_of(name), None).eval()
        assert not torch.allclose(network(torch.randn(2, 1, size_of(name), size_of(name))).sum(1), torch.ones(2))


@pytest.mark.parametrize("zeroed", ["main", "shortcut"])
def test_both_branches_of_a_residual_module_contribute(zeroed: str) -> None:
    module, maps = Residual(8, 16).eval(), torch.randn(2, 8, 9, 9)
    for layer in getattr(module, zeroed).modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)
    assert module(maps).shape == (2, 16, 5, 5) and module(maps).any()


def test_a_block_of_mini_mobilenet_adds_its_input_which_it_halves_where_maps_are_added() -> None:
    for before, after, side in ((4, 4, 8), (4, 6, 4)):
        block, maps = Block(before, after).eval(), torch.rand(2, before, 8, 8)
        assert block(maps).shape == (2, after, side, side) and not torch.equal(block(maps)[:, :before], maps)
        for layer in block.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.zeros_(layer.weight)
        added = functional.avg_pool2d(maps, 8 // side)
        assert torch.allclose(block(maps)[:, :before], added) and not block(maps)[:, before:].any()


@pytest.mark.parametrize("name", ["cnn8", "mini_xception"])
def test_initial_weights_are_those_of_keras(name: str) -> None:
    for layer in build(name, 7, 1, size_of(name), None).modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            height, width = layer.weight.shape[:2]
            area = layer.weight[0, 0].numel()
            bound = (6 / ((height + width) * area)) ** 0.5
            assert layer.weight.abs().max() <= bound
            assert layer.weight.numel() < 500 or layer.weight.abs().max() > 0.95 * bound
            assert layer.bias is None or not layer.bias.any()


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("cnn5", [0.3] * 3),
        ("cnn8", [0.5] * 4 + [0.4, 0.4, 0.5]),
        ("convnet", [0.5] * 2),
        ("mini_xception", []),
        ("mini_mobilenet", [0.0]),
        ("vgg8", [0.5]),
        ("vgg8_half", [0.3]),
        ("vgg16", [0.5] * 2),
        ("googlenet", [0.2]),
        ("mobilenet_face", [0.2]),
        ("dlib_face", [0.2]),
    ],
)
def test_dropout_is_as_published_unless_set(name: str, rates: list[float]) -> None:
    for dropout, expected in ((None, rates), (0.0, [0.0] * len(rates)), (0.7, [0.7] * len(rates))):
        with torch.device("meta"):
            network = build(name, 7, 1, size_of(name), dropout)
        assert [module.p for module in network.modules() if isinstance(module, nn.Dropout)] == expected


@pytest.mark.parametrize("name", [*(n for n in NAMES if n != "mini_xception"), "timm/resnet10t"])
def test_the_dropout_rate_is_used(name: str) -> None:
    images = torch.rand(2, 1, size_of(name), size_of(name))
    for dropout, same in ((0.0, True), (0.9, False)):
        network = build(name, 7, 1, size_of(name), dropout).train()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.eval()  # so that only dropout is random
        assert torch.equal(network(images), network(images)) == same


@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize("name", [*NAMES, "timm/resnet10t"])
def test_overfits_one_batch(name: str, bf16: bool) -> None:
    torch.manual_seed(0)
    size = size_of(name)
    network, images, targets = build(name, 4, 1, size, 0.0), torch.randn(8, 1, size, size), torch.arange(8) % 4
    network, images = (tensors.to(memory_format=torch.channels_last) for tensors in (network, images))  # as in training
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4 if name in SLOW else 1e-3)
    for _ in range(100):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = functional.cross_entropy(network(images), targets)
        if loss < 0.05:
            return
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    pytest.fail(f"the loss stays at {loss:.3f}")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet81", "'resnet81'.*did you mean 'resnet18'"),
        ("timm/convnext_tinny", "'convnext_tinny': did you mean timm/convnext_tiny "),
        ("timm/resnet18.a1_in2k", "did you mean timm/resnet18 "),
        ("timm/hf-hub:somebody/something", "timm has no architecture"),
        ("timm/", "timm has no architecture"),
    ],
)
def test_unknown_architecture_names_the_nearest(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        build(name, 7, 1, 48, 0.3)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize("before", [1, 3, 7])
def test_vgg16_enlarges_as_adaptive_pooling_does(before: int) -> None:
    maps = torch.randn(2, 3, before, before)
    torch.testing.assert_close(Enlarge(before, 7)(maps), functional.adaptive_avg_pool2d(maps, 7))


@pytest.mark.parametrize(
    ("name", "impossible", "least"),
    [
        ("cnn8", 17, 18),
        ("convnet", 21, 22),
        ("dlib_face", 102, 103),
        ("vgg16", 31, 32),
        ("vit_mod", 48, 50),
        ("vit_b16", 100, 96),
        ("timm/twins_pcpvt_small", 100, 128),  # refused as it is built
        ("timm/levit_128s", 100, 128),  # refused as it computes,
    ],
)
def test_unsupported_sizes_raise_an_error(name: str, impossible: int, least: int) -> None:
    with torch.device("meta"):
        with pytest.raises(InputError, match=f"input_size.*{impossible}") as error:
            build(name, 7, 1, impossible, None)
        assert "\n" not in str(error.value)
        assert build(name, 7, 1, least, None)(torch.rand(2, 1, least, least)).shape == (2, 7)


@pytest.mark.parametrize("name", ["cnn5", "cnn8", "convnet", "mini_xception", "vit_mod"])
def test_an_architecture_without_imagenet_weights_names_those_with_them(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} has no ImageNet weights; efficientnet_lite0, googlenet, resnet18, "):
        build(name, 7, 3, size_of(name), None, init="imagenet")


@pytest.mark.parametrize("shape", [(50, 20, 20), (50, 20, 20, 3)])
def test_inputs_have_mean_0_and_standard_deviation_1(shape: tuple[int, ...]) -> None:
    faces = np.random.default_rng(0).integers(20, 200, shape, dtype=np.uint8)
    faces[..., -1] //= 2  # channels that differ
    images = Inputs.fit(faces, 20)(torch.from_numpy(faces))
    assert images.shape == (50, 1 if len(shape) == 3 else 3, 20, 20)
    torch.testing.assert_close(images.mean((0, 2, 3)), torch.zeros(images.shape[1]), atol=1e-4, rtol=0)
    torch.testing.assert_close(images.std((0, 2, 3)), torch.ones(images.shape[1]), atol=1e-3, rtol=0)


def test_each_face_can_have_mean_0_and_standard_deviation_1() -> None:
    faces = np.random.default_rng(0).integers(20, 200, (5, 20, 20, 3), dtype=np.uint8)
    faces[2] //= 4  # a dark one
    images = Inputs.fit(faces, 20, per_face=True)(torch.from_numpy(faces))
    torch.testing.assert_close(images.mean((2, 3)), torch.zeros(5, 3), atol=1e-4, rtol=0)
    torch.testing.assert_close(images.std((2, 3), correction=0), torch.ones(5, 3), atol=1e-4, rtol=0)


@pytest.mark.parametrize("per_face", [False, True])
def test_inputs_of_a_constant_image_are_finite(per_face: bool) -> None:
    faces = np.full((2, 16, 16), 7, np.uint8)
    assert Inputs.fit(faces, 16, per_face)(torch.from_numpy(faces)).isfinite().all()


def test_inputs_resize_without_skipping_pixels() -> None:
    stripes = torch.tensor([255, 0, 0, 255], dtype=torch.uint8).repeat(12).expand(1, 48, 48)
    small = Inputs(12, [0.0], [1.0])(stripes)
    assert small.shape == (1, 1, 12, 12)
    torch.testing.assert_close(small, torch.full((1, 1, 12, 12), 0.5), atol=0.2, rtol=0)


def test_logits_do_not_depend_on_the_other_faces(faces: torch.Tensor) -> None:
    network = build("cnn5", 2, 1, 16, 0.5)
    together = logits(network, INPUTS, faces)
    assert together.shape == (12, 2) and together.dtype == torch.float32
    torch.testing.assert_close(logits(network, INPUTS, faces, batch_size=5), together)
    torch.testing.assert_close(logits(network, INPUTS, faces.flip(0)).flip(0), together)


def test_a_saved_model_is_restored(tmp_path, faces: torch.Tensor) -> None:
    network = build("cnn5", 2, 1, 16, 0.3).to(memory_format=torch.channels_last)
    save(tmp_path, network, CONFIG)
    back, config = load(tmp_path)
    back.to(memory_format=torch.channels_last)
    assert config | CONFIG == config and torch.equal(logits(back, INPUTS, faces), logits(network, INPUTS, faces))
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(written) == {"weights.safetensors", "config.json"}
    save(tmp_path, back, config)
    assert written == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


@pytest.mark.parametrize("count", [1, 12])
def test_a_loaded_model_is_in_evaluation_mode(count: int, tmp_path, faces: torch.Tensor) -> None:
    save(tmp_path, build("cnn5", 2, 1, 16, 0.3), CONFIG)
    network, _ = load(tmp_path)
    with torch.inference_mode():
        alone = network(INPUTS(faces[:count]))
    torch.testing.assert_close(alone, logits(load(tmp_path)[0], INPUTS, faces[:count]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", None, "contains no trained model"),
        ("weights.safetensors", None, "contains no trained model"),
        ("config.json", b"{", "not a model"),
        ("config.json", b"[]", "not a model"),
        ("config.json", json.dumps(CONFIG | {"labels": ["anger"]}).encode(), "not a model"),
        ("config.json", b"{}", "config.json: architecture: missing"),
        ("weights.safetensors", b"\x80\x04pickle", "not a model"),
    ],
)
def test_a_damaged_model_raises_an_error(tmp_path, name: str, content: bytes | None, message: str) -> None:
    save(tmp_path, build("cnn5", 2, 1, 16, 0.3), CONFIG)
    (tmp_path / name).unlink() if content is None else (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        load(tmp_path)
    assert "\n" not in str(error.value)


def test_a_model_with_published_dropout_is_restored(tmp_path, faces: torch.Tensor) -> None:
    network = build("cnn5", 2, 1, 16, None)
    save(tmp_path, network, saved.config(recipe=saved.recipe(dropout=None)))
    back, _ = load(tmp_path)
    assert torch.equal(logits(back, INPUTS, faces), logits(network, INPUTS, faces))


def test_weights_of_another_shape_raise_an_error(tmp_path) -> None:
    save(tmp_path, build("cnn5", 3, 1, 16, 0.3), CONFIG)
    with pytest.raises(InputError, match="not a model"):
        load(tmp_path)
