"""Transfer of weights from a trained model of this project."""

import json
import os
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
from torch import nn

from helpers import saved
from helpers.hub_server import serve
from helpers.trainable import train, write_tree
from stages.base.errors import InputError
from stages.models.networks import build, head
from stages.models.saved_model import save
from stages.training.initial_weights import transfer_weights

LABELS = ["anger", "happy", "neutral"]
SIZE = 32
# The head of cnn8 is a linear layer, that of mini_xception a convolution; resnet18 is from timm.
NAMES = ["cnn8", "mini_xception", "resnet18"]


def trained(folder: Path, arch: str = "cnn8", labels: list[str] = LABELS, channels: int = 1, size: int = SIZE):
    """Save a model in `folder` in which every weight differs from its initial value."""
    network = build(arch, len(labels), channels, size, None).eval()
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor += 0.01 + 0.02 * torch.rand(tensor.shape)
    inputs = {"size": size, "mean": [0.5] * channels, "std": [0.25] * channels, "per_face": False}
    recipe = saved.recipe(dropout=None)
    facts = saved.config(architecture=arch, labels=labels, channels=channels, inputs=inputs, recipe=recipe)
    save(folder, network, facts)
    return network


def logits(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return network.eval()(images)


@pytest.mark.parametrize("arch", NAMES)
def test_all_weights_of_the_same_architecture_are_transferred(tmp_path: Path, arch: str) -> None:
    old, new = trained(tmp_path, arch), build(arch, 3, 1, SIZE, None)
    assert transfer_weights(new, arch, LABELS, tmp_path) == []
    for name, tensor in old.state_dict().items():
        assert torch.equal(new.state_dict()[name], tensor), name


@pytest.mark.parametrize("arch", NAMES)
@pytest.mark.parametrize("labels", [["happy", "anger", "fear", "disgust"], ["neutral", "happy", "anger"], ["anger"]])
def test_rows_of_common_labels_are_transferred(tmp_path: Path, arch: str, labels: list[str]) -> None:
    old, new = trained(tmp_path, arch), build(arch, len(labels), 1, SIZE, None)
    initial = {name: tensor.clone() for name, tensor in head(new).state_dict().items()}
    notes = transfer_weights(new, arch, labels, tmp_path)
    assert len(notes) == 1 and "transferred for " + ", ".join(label for label in labels if label in LABELS) in notes[0]
    assert all(label in notes[0].partition("random for")[2] for label in labels if label not in LABELS)
    images = torch.rand(2, 1, SIZE, SIZE)
    for row, label in enumerate(labels):
        if label in LABELS:
            found, expected = logits(new, images)[:, row], logits(old, images)[:, LABELS.index(label)]
            # Heads of another size sum in another order.
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        else:
            assert all(torch.equal(tensor[row], initial[name][row]) for name, tensor in head(new).state_dict().items())


@pytest.mark.parametrize("arch", NAMES)
@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1)])
def test_a_grey_image_gives_the_same_logits_with_other_channels(
    tmp_path: Path, arch: str, before: int, after: int
) -> None:
    old, new = trained(tmp_path, arch, channels=before), build(arch, 3, after, SIZE, None)
    (note,) = transfer_weights(new, arch, LABELS, tmp_path)
    assert f"adapted from {before} to {after} channels" in note
    grey = torch.rand(2, 1, SIZE, SIZE)
    torch.testing.assert_close(
        logits(new, grey.expand(-1, after, -1, -1)), logits(old, grey.expand(-1, before, -1, -1)), atol=1e-4, rtol=1e-4
    )


def test_weights_of_another_shape_stay_random_and_are_reported(tmp_path: Path) -> None:
    old, new = trained(tmp_path, "cnn8", size=48), build("cnn8", 3, 1, SIZE, None)
    initial = {name: tensor.clone() for name, tensor in new.state_dict().items()}
    (note,) = transfer_weights(new, "cnn8", LABELS, tmp_path)
    (name,) = [name for name, tensor in old.state_dict().items() if tensor.shape != initial[name].shape]
    assert note == f"{name}: random, because 512×2048 does not fit 512×512"
    for other, tensor in new.state_dict().items():
        assert torch.equal(tensor, initial[name] if other == name else old.state_dict()[other])


def test_another_architecture_raises_an_error(tmp_path: Path) -> None:
    trained(tmp_path, "cnn8")
    with pytest.raises(InputError, match="is a model of cnn8, which does not fit the architecture cnn5"):
        transfer_weights(build("cnn5", 3, 1, SIZE, None), "cnn5", LABELS, tmp_path)


def test_a_damaged_model_raises_an_error_and_changes_nothing(tmp_path: Path) -> None:
    trained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"labels": LABELS[:2]}))
    network = build("cnn8", 3, 1, SIZE, None)
    initial = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(InputError, match="not a model of this project") as error:
        transfer_weights(network, "cnn8", LABELS, tmp_path)
    assert "\n" not in str(error.value)
    assert all(torch.equal(tensor, initial[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize(
    "name, levels",
    [
        ("vit_tiny_patch16_224.augreg_in21k_ft_in1k", True),  # learned on levels from -1 to 1
        ("resnet10t.c3_in1k", False),  # learned on normalised images
    ],
)
def test_imagenet_weights_get_the_levels_that_they_were_learned_on(
    name: str, levels: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arch = name.partition(".")[0]
    weights = safetensors.torch.save(timm.create_model(arch).state_dict())
    for variable in [variable for variable in os.environ if variable.startswith("HF_")]:
        monkeypatch.delenv(variable)
    with serve({f"/timm/{name}/resolve/main/model.safetensors": weights}) as hub:
        for variable, value in {"HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub, "NO_PROXY": "127.0.0.1"}.items():
            monkeypatch.setenv(variable, value)
        write_tree(tmp_path, arch=f"timm/{arch}", init="imagenet", input_size=32, epochs=1)
        done = train(tmp_path)
    assert done.returncode == 0, done.stderr
    inputs = json.loads((tmp_path / "data/model/config.json").read_text())["inputs"]
    assert (inputs == {"size": 32, "mean": [0.5], "std": [0.5], "per_face": False}) == levels
