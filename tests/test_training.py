import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from ruamel.yaml import YAML
from torch import Generator
from torch.nn import functional

from stages.base.errors import InputError
from stages.base.params import Train
from stages.models import build
from stages.models.forward import logits
from stages.models.inputs import Inputs
from stages.table import write_index
from stages.training.augmentation import distort
from stages.training.faces import LabelledFaces, gather, select
from stages.training.loop import fit
from stages.training.schedule import one_cycle

ROOT = Path(__file__).parents[1]
LABELS = ["happy", "sadness"]
INPUTS = Inputs(16, [0.5], [0.25])
RECIPE = Train(
    epochs=3, patience=3, batch_size=8, lr=1e-3, weight_decay=0.01, dropout=0.0, input_size=None, strength=0.5
)


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def smooth(count: int, channels: int = 1, size: int = 48) -> torch.Tensor:
    """Images that differ from one another and that survive resampling."""
    noise = torch.rand(count, channels, 4, 4, generator=seeded()) * 0.8 + 0.1
    return functional.interpolate(noise, (size, size), mode="bilinear")


def bright_or_dark(count: int, seed: int = 0) -> LabelledFaces:
    """Faces of two classes that are easy to tell apart."""
    targets = torch.arange(count) % 2
    noise = torch.randint(0, 80, (count, 16, 16), generator=seeded(seed))
    return LabelledFaces((noise + 150 * targets.view(-1, 1, 1)).to(torch.uint8), targets)


# Augmentation


@pytest.mark.parametrize("size", [48, 96, 24])
@pytest.mark.parametrize("channels", [1, 3])
def test_strength_0_only_resizes(channels: int, size: int) -> None:
    images = smooth(4, channels)
    resized = functional.interpolate(images, (size, size), mode="bilinear", antialias=True)
    torch.testing.assert_close(distort(images, size, 0.0, seeded()), resized, atol=1e-4, rtol=0)


def test_the_same_seed_distorts_alike() -> None:
    first, again, other = (distort(smooth(4), 48, 1.0, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_each_image_is_distorted_by_itself_and_keeps_its_place() -> None:
    images = smooth(1).expand(64, 1, 48, 48)
    distorted = distort(images, 48, 1.0, seeded()).flatten(1)
    assert len(distorted.unique(dim=0)) == 64
    images = smooth(16)
    either_way = torch.cat([images, images.flip(3)]).flatten(1)  # mirrored or not
    likeness = torch.corrcoef(torch.cat([distort(images, 48, 0.3, seeded()).flatten(1), either_way]))[:16, 16:]
    assert torch.equal(likeness.argmax(1) % 16, torch.arange(16))


def test_mirrored_half_of_the_time() -> None:
    images = torch.linspace(0, 1, 48).expand(400, 1, 48, 48)  # dark left, bright right
    distorted = distort(images, 48, 1.0, seeded())
    mirrored = distorted[..., :24].mean((1, 2, 3)) > distorted[..., 24:].mean((1, 2, 3))
    assert 0.4 < mirrored.float().mean() < 0.6


def test_strength_scales_the_distortion_and_values_stay_in_range() -> None:
    images = (smooth(1) + smooth(1).flip(3)).div(2).expand(200, 1, 48, 48)  # symmetric: mirroring changes nothing
    distances = [(distort(images, 48, strength, seeded()) - images).abs().mean() for strength in (0, 0.25, 0.5, 1, 2)]
    assert all(weaker + 0.01 < stronger for weaker, stronger in pairwise(distances))
    strong = distort(images, 48, 3.0, seeded())
    assert strong.min() >= 0 and strong.max() <= 1


def test_channels_are_moved_together() -> None:
    distorted = distort(smooth(8).expand(8, 3, 48, 48), 32, 1.0, seeded())
    assert torch.equal(distorted[:, 0], distorted[:, 1]) and torch.equal(distorted[:, 0], distorted[:, 2])


# Who is trained on


@pytest.fixture
def index() -> pd.DataFrame:
    """Twelve faces in folds 0 to 2 and four to test on; ids are not positions."""
    rows = [("train", fold, label) for fold in (0, 1, 2) for label in LABELS * 2] + [("test", -1, "happy")] * 4
    return pd.DataFrame([{"id": 2 * i, "split": s, "fold": f, "label": lb} for i, (s, f, lb) in enumerate(rows)])


def test_validation_faces_and_their_copies_are_never_trained_on(index: pd.DataFrame) -> None:
    copies = pd.DataFrame({"id": range(16), "parent": index.id, "label": index.label, "fold": index.fold})
    for fold in (0, 1, 2):
        train, copied, validation = select(index, copies, LABELS, fold)
        assert set(validation.fold) == {fold} and set(validation.split) == {"train"} and len(validation) == 4
        assert set(train.split) == {"train"} and len(train) == 8
        assert set(copied.parent) == set(train.id) and not set(copied.parent) & set(validation.id)


def test_faces_keep_their_labels(index: pd.DataFrame) -> None:
    faces = np.arange(40, dtype=np.uint8).repeat(256).reshape(-1, 16, 16)
    some = index.iloc[[5, 0, 13]]
    gathered = gather([(faces, some), (faces[::-1], some[:1])], LABELS)
    assert gathered.pixels[:, 0, 0].tolist() == [10, 0, 26, 29] and gathered.pixels.dtype == torch.uint8
    assert gathered.targets.tolist() == [1, 0, 0, 1]


def test_what_cannot_be_trained_on_is_named(index: pd.DataFrame) -> None:
    copies = pd.DataFrame({"id": [], "parent": [], "label": [], "fold": []})
    with pytest.raises(InputError, match="split.fold: fold 3 "):
        select(index, copies, LABELS, 3)
    with pytest.raises(InputError, match="no face to train on shows 'fear'"):
        select(index, copies, [*LABELS, "fear"], 0)
    with pytest.raises(InputError, match="no face to train on shows 'happy'"):
        select(index[index.split == "test"], copies, LABELS, 0)
    with pytest.raises(InputError, match="data.labels: 'sadness'"):
        select(index, copies, ["happy"], 0)


# The loop


def test_the_learning_rate_rises_once_and_falls_to_nothing() -> None:
    for steps in (1, 2, 5, 10, 1000):
        rates = [one_cycle(step, steps) for step in range(steps)]
        top = rates.index(max(rates))
        assert rates[: top + 1] == sorted(rates[: top + 1]) and rates[top:] == sorted(rates[top:], reverse=True)
        assert all(0 < rate <= 1 for rate in rates)
    assert rates[-1] < 1e-4 and max(rates) > 0.99 and rates[0] < 0.01


@pytest.mark.parametrize("count", [3, 9, 16, 17])  # with batches of 8, one face would be left over twice
def test_learns_what_is_easy_and_keeps_the_best_epoch(count: int) -> None:
    torch.manual_seed(0)
    network, validation = build("cnn5", 2, 1, 16, 0.0), bright_or_dark(10, seed=1)
    epochs = list(fit(network, INPUTS, bright_or_dark(count), validation, RECIPE.model_copy(update={"epochs": 6}), 0))
    best = [epoch for epoch in epochs if epoch.best][-1]
    highest = max(epoch.validation["macro_f1"] for epoch in epochs)
    assert best.validation["macro_f1"] == highest
    after = logits(network, INPUTS, validation.pixels)
    assert functional.cross_entropy(after.double(), validation.targets).item() == best.validation["loss"]
    if count == 17:
        assert highest == 1.0 and epochs[-1].train["macro_f1"] > 0.9 > epochs[0].train["macro_f1"]


def test_stops_when_nothing_gets_better() -> None:
    torch.manual_seed(0)
    recipe = RECIPE.model_copy(update={"epochs": 20, "patience": 2, "lr": 1e-12})
    epochs = list(fit(build("cnn5", 2, 1, 16, 0.0).eval(), INPUTS, bright_or_dark(8), bright_or_dark(4), recipe, 0))
    best = [epoch.number for epoch in epochs if epoch.best][-1]
    assert len(epochs) == best + 2 < 20


def test_a_loss_that_is_no_number_is_told() -> None:
    network = build("cnn5", 2, 1, 16, 0.0)
    torch.nn.init.constant_(network[0].weight, float("nan"))
    with pytest.raises(InputError, match="train.lr: 0.001 is too high: epoch 1"):
        list(fit(network, INPUTS, bright_or_dark(8), bright_or_dark(4), RECIPE, 0))


# The stage


def write_tree(root: Path, seed: int = 0, **changes: object) -> None:
    """What the stages before training leave, with a few faces of 16×16, and params to match."""
    params = YAML(typ="safe").load(ROOT / "params.yaml")
    params |= {"model": "cnn5", "seed": seed}
    params["data"] |= {"labels": LABELS}
    params["train"] |= {"epochs": 2, "batch_size": 8} | changes
    for folder in ("merged", "split", "augmented"):
        (root / "data" / folder).mkdir(parents=True)
    YAML().dump(params, root / "params.yaml")
    faces = bright_or_dark(30)
    labels = [LABELS[target] for target in faces.targets]
    index = pd.DataFrame({"id": range(30), "label": labels, "split": "train", "fold": np.arange(30) // 2 % 5})
    copies = pd.DataFrame({"id": range(5), "parent": range(10, 15), "label": labels[10:15], "fold": index.fold[10:15]})
    np.save(root / "data/merged/faces.npy", faces.pixels.numpy())
    np.save(root / "data/augmented/faces.npy", faces.pixels.numpy()[10:15])
    write_index(index, root / "data/split/index.csv")
    write_index(copies, root / "data/augmented/index.csv")
    (root / "data/merged/sources.json").write_text(json.dumps({"drawn-ck48": {"from": "drawn", "drawn": True}}))


def train(root: Path) -> subprocess.CompletedProcess:
    command, environment = [sys.executable, "-m", "stages.train"], {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)


def outputs(root: Path) -> dict[str, bytes]:
    paths = [path for folder in ("data/model", "plots") for path in (root / folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(tmp_path) -> None:
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        write_tree(tmp_path / name, seed)
        done = train(tmp_path / name)
        assert done.returncode == 0, done.stderr
    first, again, other = (outputs(tmp_path / name) for name in ("first", "again", "other"))
    assert first == again
    assert first["data/model/weights.safetensors"] != other["data/model/weights.safetensors"]
    config = json.loads(first["data/model/config.json"])
    assert config["drawn_faces"] and config["labels"] == LABELS and config["seed"] == 0 and config["fold"] == 0
    for curve in ("lr", "train/loss", "validation/macro_f1"):
        assert len(first[f"plots/training/plots/metrics/{curve}.tsv"].splitlines()) == 3  # a header and two epochs


@pytest.mark.slow
def test_a_stage_that_cannot_train_ends_in_one_line_and_leaves_the_last_model(tmp_path) -> None:
    write_tree(tmp_path)
    (tmp_path / "data/model").mkdir()
    (tmp_path / "data/model/config.json").write_text("{}")
    index = pd.read_csv(tmp_path / "data/split/index.csv")
    write_index(index[index.fold != 0], tmp_path / "data/split/index.csv")
    done = train(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("ERROR: split.fold: fold 0") and done.stderr.count("\n") == 1
    assert outputs(tmp_path) == {"data/model/config.json": b"{}"}
