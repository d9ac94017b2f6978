"""Training that starts from a trained model of ours."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from stages.base.errors import InputError
from stages.models.networks import build, head
from stages.models.saved_model import save
from stages.training.initial_weights import start

LABELS = ["anger", "happy", "neutral"]
SIZE = 32
# One whose head is a linear layer, one whose head is a convolution, and one of timm's.
NAMES = ["cnn8", "mini_xception", "resnet18"]


def trained(folder: Path, arch: str = "cnn8", labels: list[str] = LABELS, channels: int = 1, size: int = SIZE):
    """A model of random weights, none of them as fresh ones are, in `folder`."""
    network = build(arch, len(labels), channels, size, None).eval()
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor += 0.01 + 0.02 * torch.rand(tensor.shape)
    facts = {"architecture": arch, "labels": labels, "channels": channels}
    save(folder, network, facts | {"inputs": {"size": size}, "recipe": {"dropout": None}})
    return network


def logits(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return network.eval()(images)


@pytest.mark.parametrize("arch", NAMES)
def test_the_same_architecture_arrives_exactly(tmp_path: Path, arch: str) -> None:
    old, new = trained(tmp_path, arch), build(arch, 3, 1, SIZE, None)
    assert start(new, arch, LABELS, tmp_path) == []
    for name, tensor in old.state_dict().items():
        assert torch.equal(new.state_dict()[name], tensor), name


@pytest.mark.parametrize("arch", NAMES)
@pytest.mark.parametrize("labels", [["happy", "anger", "fear", "disgust"], ["neutral", "happy", "anger"], ["anger"]])
def test_labels_keep_their_rows(tmp_path: Path, arch: str, labels: list[str]) -> None:
    old, new = trained(tmp_path, arch), build(arch, len(labels), 1, SIZE, None)
    fresh = {name: tensor.clone() for name, tensor in head(new).state_dict().items()}
    notes = start(new, arch, labels, tmp_path)
    assert len(notes) == 1 and "taken for " + ", ".join(label for label in labels if label in LABELS) in notes[0]
    assert all(label in notes[0].partition("fresh for")[2] for label in labels if label not in LABELS)
    images = torch.rand(2, 1, SIZE, SIZE)
    for row, label in enumerate(labels):
        if label in LABELS:
            torch.testing.assert_close(logits(new, images)[:, row], logits(old, images)[:, LABELS.index(label)])
        else:
            assert all(torch.equal(tensor[row], fresh[name][row]) for name, tensor in head(new).state_dict().items())


@pytest.mark.parametrize("arch", NAMES)
@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1)])
def test_a_grey_picture_gives_the_same_on_other_channels(tmp_path: Path, arch: str, before: int, after: int) -> None:
    old, new = trained(tmp_path, arch, channels=before), build(arch, 3, after, SIZE, None)
    (note,) = start(new, arch, LABELS, tmp_path)
    assert f"fitted from {before} to {after} channels" in note
    grey = torch.rand(2, 1, SIZE, SIZE)
    torch.testing.assert_close(
        logits(new, grey.expand(-1, after, -1, -1)), logits(old, grey.expand(-1, before, -1, -1)), atol=1e-4, rtol=1e-4
    )


def test_what_another_size_changes_stays_fresh_and_is_named(tmp_path: Path) -> None:
    old, new = trained(tmp_path, "cnn8", size=48), build("cnn8", 3, 1, SIZE, None)
    fresh = {name: tensor.clone() for name, tensor in new.state_dict().items()}
    (note,) = start(new, "cnn8", LABELS, tmp_path)
    (name,) = [name for name, tensor in old.state_dict().items() if tensor.shape != fresh[name].shape]
    assert note == f"{name}: left fresh, [512, 2048] does not fit [512, 512]"
    for other, tensor in new.state_dict().items():
        assert torch.equal(tensor, fresh[name] if other == name else old.state_dict()[other])


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    trained(tmp_path, "cnn8")
    with pytest.raises(InputError, match="a model of cnn8, which cannot start one of cnn5"):
        start(build("cnn5", 3, 1, SIZE, None), "cnn5", LABELS, tmp_path)


def test_a_damaged_model_is_refused_and_nothing_is_taken_from_it(tmp_path: Path) -> None:
    trained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"labels": LABELS[:2]}))
    network = build("cnn8", 3, 1, SIZE, None)
    fresh = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(InputError, match="not a model of this project") as error:
        start(network, "cnn8", LABELS, tmp_path)
    assert "\n" not in str(error.value)
    assert all(torch.equal(tensor, fresh[name]) for name, tensor in network.state_dict().items())
