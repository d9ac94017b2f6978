"""No operation of a network lacks a deterministic algorithm: every architecture, and any other before its training."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import stages.train
from helpers import trainable
from helpers.project import ROOT
from stages.base.errors import InputError
from stages.models import hardware
from stages.models.networks import build
from stages.models.preprocessing import Inputs
from stages.models.registry import architecture_names
from stages.params.models import load_recipe
from stages.training.determinism import check_deterministic
from stages.training.objective import loss

# The operations for which torch.use_deterministic_algorithms documents an error on a GPU or on Apple's MPS, and the
# names by which torch dispatches them, of the backward pass where only that raises the error.
NONDETERMINISTIC = {
    "torch.nn.AvgPool3d": ["avg_pool3d_backward"],
    "torch.nn.AdaptiveAvgPool2d": ["_adaptive_avg_pool2d_backward"],
    "torch.nn.AdaptiveAvgPool3d": ["_adaptive_avg_pool3d_backward"],
    "torch.nn.AdaptiveMaxPool2d": ["adaptive_max_pool2d_backward"],
    "torch.nn.FractionalMaxPool2d": ["fractional_max_pool2d_backward"],
    "torch.nn.FractionalMaxPool3d": ["fractional_max_pool3d_backward"],
    "torch.nn.MaxUnpool1d": ["max_unpool2d"],
    "torch.nn.MaxUnpool2d": ["max_unpool2d"],
    "torch.nn.MaxUnpool3d": ["max_unpool3d"],
    "torch.nn.functional.interpolate": [
        "upsample_linear1d_backward",
        "upsample_bilinear2d_backward",
        "upsample_bicubic2d_backward",
        "upsample_trilinear3d_backward",
        "_upsample_bilinear2d_aa_backward",
        "_upsample_bicubic2d_aa_backward",
    ],
    "torch.nn.ReflectionPad1d": ["reflection_pad1d_backward"],
    "torch.nn.ReflectionPad2d": ["reflection_pad2d_backward"],
    "torch.nn.ReflectionPad3d": ["reflection_pad3d_backward"],
    "torch.nn.NLLLoss": ["nll_loss_forward", "nll_loss2d_forward"],
    "torch.nn.CTCLoss": ["_ctc_loss_backward"],
    "torch.nn.EmbeddingBag": ["_embedding_bag"],
    "torch.Tensor.put_": ["put_"],
    "torch.histc": ["histc"],
    "torch.bincount": ["bincount"],
    "torch.median": ["median"],
    "torch.nn.functional.grid_sample": ["grid_sampler_2d_backward", "grid_sampler_3d_backward"],
    "torch.Tensor.scatter_reduce": ["scatter_reduce", "scatter_reduce_"],
    "torch.Tensor.resize_": [],  # of quantised tensors only
}
MPS_ONLY = {
    "torch.Tensor.index_put",
    "torch.Tensor.index_reduce",
    "torch.kthvalue",
    "torch.nn.Embedding",
    "torch.nn.MaxPool2d",
}
RECIPE = load_recipe("cnn5", ROOT / "params.yaml")
SIZES = {"vit_mod": 100, "vit_b16": 96, "dlib_face": 112}


class Recorder(TorchDispatchMode):
    """Records the names of the operations that are computed."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.names.add(operation.overloadpacket.__name__)
        return operation(*args, **(kwargs or {}))


def nondeterministic(network: nn.Module, size: int) -> set[str]:
    """Return the operations of a training step that are on the list; the network is on the meta device."""
    listed = {name for names in NONDETERMINISTIC.values() for name in names}
    with Recorder() as recorder:
        outputs = network(torch.zeros(2, 1, size, size, device="meta"))
        loss(outputs, torch.full_like(outputs, 1 / 7), torch.ones(7, device="meta"), 2.0).backward()
    assert len(recorder.names) > 5 and any("backward" in name for name in recorder.names)
    return recorder.names & listed


@pytest.fixture
def deterministic() -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled()
    hardware.deterministic(0)
    yield
    torch.use_deterministic_algorithms(before)


def test_the_list_is_that_of_torch() -> None:
    text = torch.use_deterministic_algorithms.__doc__.partition(":class:`RuntimeError` when ``mode=True``:")[2]
    text = text.partition("In addition, several operations")[0]
    found = set(re.findall(r"^ +\* :\w+:`([\w.]+)`", text, re.MULTILINE))
    assert found == NONDETERMINISTIC.keys() | MPS_ONLY
    operations = {name for names in NONDETERMINISTIC.values() for name in names}
    assert all(hasattr(torch.ops.aten, name) for name in operations)


@pytest.mark.parametrize("arch", architecture_names())
def test_no_architecture_has_a_nondeterministic_operation(arch: str, deterministic: None) -> None:
    for size in (SIZES.get(arch, 48), SIZES.get(arch, 96)):
        with torch.device("meta"):
            network = build(arch, 7, 1, size, 0.5)
        assert nondeterministic(network, size) == set()


@pytest.mark.parametrize(
    ("layer", "operation"),
    [
        (nn.AdaptiveAvgPool2d(7), "_adaptive_avg_pool2d_backward"),
        (nn.ReflectionPad2d(1), "reflection_pad2d_backward"),
        (nn.AdaptiveMaxPool2d(7), "adaptive_max_pool2d_backward"),
    ],
)
def test_a_nondeterministic_operation_is_found(layer: nn.Module, operation: str, deterministic: None) -> None:
    with torch.device("meta"):
        network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), layer, nn.Flatten(), nn.LazyLinear(7))
    assert nondeterministic(network, 24) == {operation}


class Unpooled(nn.Module):
    """A network with an operation that torch refuses on a CPU too."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4))
        self.head = nn.Linear(4, 7)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        pooled, where = nn.functional.max_pool2d(self.layers(images), 2, return_indices=True)
        return self.head(nn.functional.max_unpool2d(pooled, where, 2).mean((2, 3)))


def test_a_network_that_cannot_repeat_is_refused_before_its_training(deterministic: None) -> None:
    recipe = RECIPE.model_copy(update={"arch": "timm/some"})
    with pytest.raises(InputError, match="timm/some cannot be trained.*no deterministic.*max_unpool.*choose") as error:
        check_deterministic(Unpooled(), Inputs(16, [0.5], [0.25]), recipe)
    assert "\n" not in str(error.value)


def test_the_check_changes_nothing(deterministic: None) -> None:
    network = build("cnn5", 7, 1, 16, 0.5)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    check_deterministic(network, Inputs(16, [0.5], [0.25]), RECIPE)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert network.training and all(weight.grad is None for weight in network.parameters())


def test_the_stage_makes_this_check(deterministic: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainable.write_tree(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train"])
    monkeypatch.setattr(stages.train, "initial_network", lambda *_: (Unpooled(), None))
    with pytest.raises(InputError, match="cnn5 cannot be trained"):
        stages.train.main()
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"merged", "split", "augmented"}
