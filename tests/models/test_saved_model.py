"""Damaged, edited and hostile model folders: one line, and nothing is loaded."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from helpers import saved
from helpers.generated import MANY
from helpers.project import ROOT
from stages.base.errors import InputError
from stages.models.config import HASHES, digest
from stages.models.networks import build
from stages.models.saved_model import load, save

CONFIG = saved.config(architecture="mini_xception", inputs=saved.inputs(size=48))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small model; to be read only."""
    folder = tmp_path_factory.mktemp("model")
    save(folder, build("mini_xception", 2, 1, 48, 0.3), CONFIG)
    return folder


@pytest.fixture
def copied(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "copied"))


def edit(folder: Path, sealed: bool = False, **changes: object) -> None:
    """Change keys of config.json; `sealed`: as an attacker would, who corrects the hash."""
    config = json.loads((folder / "config.json").read_text()) | changes
    if sealed:
        config[HASHES]["config"] = digest(config)
    (folder / "config.json").write_text(json.dumps(config))


def flip(path: Path, position: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(position * len(content))] ^= 1
    path.write_bytes(content)


def reweigh(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Change the weights, and correct both hashes."""
    weights = safetensors.torch.load_file(folder / "weights.safetensors")
    change(weights)
    content = safetensors.torch.save(weights)
    (folder / "weights.safetensors").write_bytes(content)
    reseal(folder)


def reseal(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config[HASHES]["weights"] = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    config[HASHES]["config"] = digest(config)
    (folder / "config.json").write_text(json.dumps(config))


DAMAGES = {
    "reversed labels": (lambda folder: edit(folder, labels=["happy", "anger"]), "config.json: was changed"),
    "another fold": (lambda folder: edit(folder, fold=1), "config.json: was changed"),
    "a flipped bit in the weights": (lambda folder: flip(folder / "weights.safetensors", 0.9), "is not the file"),
    "a flipped bit in their header": (lambda folder: flip(folder / "weights.safetensors", 0.001), "is not the file"),
    "cut weights": (lambda folder: (folder / "weights.safetensors").write_bytes(b"\x10"), "is not the file"),
    "a cut config": (lambda folder: (folder / "config.json").write_text('{"labels": ["a'), "config.json: damaged"),
    "nesting": (lambda folder: (folder / "config.json").write_text("[" * 100_000), "config.json: damaged"),
    "a list": (lambda folder: (folder / "config.json").write_text("[]"), "config.json"),
    "no model": (lambda folder: (folder / "config.json").write_text('{"name": "x"}'), "architecture: missing"),
    "labels in a text": (lambda folder: edit(folder, True, labels="anger"), "labels: 'anger' is not allowed"),
    "a label twice": (lambda folder: edit(folder, True, labels=["anger", "anger"]), "twice"),
    "an empty label": (lambda folder: edit(folder, True, labels=["anger", ""]), "labels.1: ''"),
    "a label that is a number": (lambda folder: edit(folder, True, labels=["anger", 3]), "labels.1: 3"),
    "size 1000": (lambda folder: edit(folder, True, inputs=saved.inputs(size=1000)), "inputs.size: 1000"),
    "no mean": (lambda folder: edit(folder, True, inputs={"size": 48, "std": [1.0]}), "inputs.mean: missing"),
    "two means": (lambda folder: edit(folder, True, inputs=saved.inputs(mean=[0.1, 0.2])), "mean and std must have"),
    "std 0": (lambda folder: edit(folder, True, inputs=saved.inputs(std=[0.0])), "inputs.std.0: 0.0"),
    "mean NaN": (lambda folder: edit(folder, True, inputs=saved.inputs(mean=[float("nan")])), "inputs.mean.0: nan"),
    "precision": (lambda folder: edit(folder, True, precision="int4"), "precision: 'int4'"),
    "an architecture in a list": (lambda folder: edit(folder, True, architecture=["cnn5"]), "architecture: ['cnn5']"),
    "a path for a name": (lambda folder: edit(folder, True, architecture="../../evil"), "no architecture is called"),
    "a hub's model": (lambda folder: edit(folder, True, architecture="timm/hf-hub:a/b"), "timm has no architecture"),
    "no hashes": (lambda folder: edit(folder, **{HASHES: None}), "sha256: None"),
    "NaN weights": (lambda folder: reweigh(folder, lambda weights: weights["0.weight"].fill_(torch.nan)),
                    "values that are not finite"),
    "other shapes": (lambda folder: reweigh(folder, lambda weights: weights.update(
        {name: tensor[:1] for name, tensor in weights.items() if tensor.ndim})), "not the shape or the type"),
    "other types": (lambda folder: reweigh(folder, lambda weights: weights.update(
        {name: tensor.half() for name, tensor in weights.items()})), "not the shape or the type"),
    "another tensor": (lambda folder: reweigh(folder, lambda weights: weights.update(more=torch.zeros(1))), "more is"),
    "a config without end": (lambda folder: (folder / "config.json").write_text("[]," * 2_000_000),
                             "config.json has more than"),
    "weights without end": (lambda folder: ((folder / "weights.safetensors").write_bytes(bytes(5_000_000)),
                                            reseal(folder)), "safetensors has more than"),
    "a header that lies": (lambda folder: ((folder / "weights.safetensors").write_bytes(b"\xff" * 7 + b"\x00{}"),
                                           reseal(folder)), "not a model"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_or_edited_model_is_refused(copied: Path, name: str):
    damage, message = DAMAGES[name]
    damage(copied)
    with pytest.raises(InputError, match="not a model of this project, or damaged") as error:
        load(copied)
    assert message in str(error.value) and str(error.value).isprintable() and len(str(error.value)) < 500


@pytest.mark.parametrize("name", ["missing", "config.json", ".", "archive.zip", "folders"])
def test_another_path_is_no_model(tmp_path: Path, name: str):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "archive.zip").write_bytes(b"PK")
    (tmp_path / "folders/config.json").mkdir(parents=True)
    (tmp_path / "folders/weights.safetensors").mkdir()
    with pytest.raises(InputError, match="contains no trained model; train one first"):
        load(tmp_path / name)


def test_a_large_network_takes_no_memory_before_its_weights_fit(copied: Path):
    edit(copied, True, architecture="cnn5", inputs=saved.inputs(size=512))  # 4 GB of weights
    # VmHWM: ru_maxrss starts at the memory of the process that started this one.
    code = f"""
import re
from pathlib import Path
from stages.base.errors import InputError
from stages.models.saved_model import load
try:
    load(Path({str(copied)!r}))
except InputError as error:
    print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1], error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    kilobytes, _, message = done.stdout.partition(" ")
    assert "is missing or unknown" in message and int(kilobytes) < 1_000_000, done.stdout + done.stderr


# Generated damage

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=9) | some.sampled_from(
        ["cnn5", "vgg16", "timm/resnet18", "vit_b16", "timm/", "__init__", "float16", ""]),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
KEYS = some.sampled_from(
    [*CONFIG, "inputs.size", "inputs.mean", "inputs.std", *[f"recipe.{key}" for key in CONFIG["recipe"]]]
)
CHANGES = some.one_of(
    some.tuples(some.just("value"), KEYS, VALUES),
    some.tuples(some.just("bytes"), some.sampled_from(["config.json", "weights.safetensors"]),
                some.tuples(some.floats(0, 1, exclude_max=True) | some.floats(0, 0.03),  # the header is at the start
                            some.binary(max_size=30), some.integers(0, 300_000) | some.integers(0, 30),
                            some.booleans())),
)  # fmt: skip


def check(model: Path, folder: Path, change: tuple) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(model, folder)
    kind, key, value = change
    if kind == "value":
        config = json.loads((folder / "config.json").read_text())
        part, _, name = key.rpartition(".")
        (config[part] if part else config)[name] = value
        config[HASHES]["config"] = digest(config)
        (folder / "config.json").write_text(json.dumps(config))
    else:
        position, inserted, removed, corrected = value
        content = (folder / key).read_bytes()
        start = int(position * len(content))
        (folder / key).write_bytes(content[:start] + inserted + content[start + removed :])
        if corrected and key == "weights.safetensors":
            reseal(folder)
    try:
        network, config = load(folder)
    except InputError as error:
        assert str(error).isprintable() and len(str(error)) < 700
    else:
        assert all(tensor.isfinite().all() for tensor in network.state_dict().values()) and config["labels"]


@given(change=CHANGES)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_change_is_loaded_or_refused(model: Path, tmp_path: Path, change: tuple):
    check(model, tmp_path / "changed", change)


@pytest.mark.slow
@given(change=CHANGES)
@settings(max_examples=MANY, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_changes_are_loaded_or_refused(model: Path, tmp_path: Path, change: tuple):
    check(model, tmp_path / "changed", change)
