"""Trainings that learn the probabilities of trained models."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.project import ROOT
from helpers.trainable import LABELS, bright_or_dark, outputs, train, trained_tree, write_tree
from stages.faces.table import Selection, read_index, write_index
from stages.models.preprocessing import Inputs
from stages.models.saved_model import load
from stages.params.train import Train
from stages.prediction.classifier import Classifier
from stages.training.batches import Batches
from stages.training.dataset import LabelledFaces
from stages.training.distillation import probabilities

INDEX, COPIES, CONFIG = "data/split/index.csv", "data/augmented/index.csv", "data/model/config.json"
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def teacher_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with a model that has learned to tell bright from dark faces, and never the test face."""
    return trained_tree(tmp_path_factory.mktemp("teacher"), epochs=6)


def coloured(root: Path) -> Path:
    """Make the faces of a tree coloured."""
    for path in (root / "data/merged/faces.npy", root / "data/augmented/faces.npy"):
        np.save(path, np.stack([np.load(path)] * 3, 3))
    return root


def test_a_network_learns_what_its_teacher_predicts(tmp_path: Path, teacher_tree: Path) -> None:
    write_tree(tmp_path, epochs=6, teachers=[str(teacher_tree / "data/model")], teachers_share=1.0)
    for path in (tmp_path / INDEX, tmp_path / COPIES):  # labels of training faces are wrong
        rows = read_index(path)
        other = rows["label"].map(dict(zip(LABELS, LABELS[::-1], strict=True)))
        write_index(rows.assign(label=rows["label"].where(rows["fold"] == 0, other)), path)
    done = train(tmp_path)
    assert done.returncode == 0, done.stderr
    classify = Classifier.load(tmp_path / "data/model")
    faces = bright_or_dark(40, seed=1)
    predicted = np.argmax(classify.probabilities(faces.pixels.numpy()), 1)
    assert (predicted == faces.targets.numpy()).mean() > 0.9
    config, teacher = (json.loads((root / CONFIG).read_text()) for root in (tmp_path, teacher_tree))
    assert config["teacher_hashes"] == [teacher["sha256"]] and teacher["teacher_hashes"] == []


@pytest.mark.slow
def test_a_share_of_0_changes_nothing(tmp_path: Path, teacher_tree: Path) -> None:
    for name, teachers in (("without", []), ("with", [str(teacher_tree / "data/model")])):
        write_tree(tmp_path / name, teachers=teachers, teachers_share=0.0)
        assert train(tmp_path / name).returncode == 0
    without, with_teacher = (outputs(tmp_path / name) for name in ("without", "with"))
    assert with_teacher["data/model/weights.safetensors"] == without["data/model/weights.safetensors"]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_probabilities_are_the_mean_of_the_calibrated_ones(
    tmp_path: Path, teacher_tree: Path, channels: int
) -> None:
    write_tree(tmp_path, seed=1, epochs=1, dropout=0.0)
    if channels == 3:
        coloured(tmp_path)
    assert train(tmp_path).returncode == 0
    folders = [teacher_tree / "data/model", tmp_path / "data/model"]
    models = [load(folder) for folder in folders]
    assert len({config["temperature"] for _, config in models} | {1.0}) == 3
    faces = bright_or_dark(70).pixels
    forms = [faces, faces.unsqueeze(3).expand(-1, -1, -1, channels).squeeze(3)]
    pairs = zip(folders, forms, strict=True)
    expected = np.mean([Classifier.load(folder).probabilities(form.numpy()) for folder, form in pairs], 0)
    found = probabilities(models, LABELS, faces, CPU)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    on_disk = Selection((faces.numpy(), np.arange(70)))
    assert torch.equal(probabilities(models, LABELS, on_disk, CPU), found)
    assert torch.equal(probabilities(models, LABELS[::-1], faces, CPU), found.flip(1))
    assert torch.equal(probabilities(models, LABELS[:1], faces, CPU), torch.ones(70, 1))  # the only label of a data set


@pytest.mark.parametrize("done", [0, 5, 8])
@pytest.mark.parametrize("streamed", [False, True])
def test_each_face_has_its_own_probabilities(done: int, streamed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.training.batches.CHUNK_BYTES", {"cpu": 2 * 8 * 4 * 16 * 16})  # two batches
    numbers, targets = torch.arange(64), torch.arange(64) % 2
    pixels = (4 * numbers).to(torch.uint8).view(-1, 1, 1).repeat(1, 16, 16)
    faces = LabelledFaces(Selection((pixels.numpy(), np.arange(64))) if streamed else pixels, targets)
    taught = torch.stack([numbers / 64, 1 - numbers / 64], 1)
    recipe = Train.load(ROOT / "params.yaml").model_copy(
        update={"batch_size": 8, "strength": 0.0, "label_smoothing": 0.0, "teachers_share": 0.75}
    )
    positions = torch.randperm(64, generator=torch.Generator().manual_seed(0)).view(-1, 8)
    batches = Batches(faces, Inputs(16, [0.0], [1.0]), 2, recipe, 0, taught).epoch(1, positions, done)
    steps = 0
    for ((images, found),), rows in zip(batches, positions[done:], strict=True):
        assert torch.equal((images.mean((1, 2, 3)) * 255 / 4).round().long(), rows)
        labels = torch.nn.functional.one_hot(targets[rows], 2)
        torch.testing.assert_close(found, 0.25 * labels + 0.75 * taught[rows])
        steps += 1
    assert steps == 8 - done


def refused(root: Path) -> str:
    """Run a training that must fail before it writes anything; the reason, one line."""
    done = train(root)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert not (root / "data/model").exists() and not (root / "plots").exists()
    return done.stderr.removeprefix("ERROR: ")


def test_teachers_that_do_not_fit_are_refused(tmp_path: Path, teacher_tree: Path) -> None:
    model = str(teacher_tree / "data/model")
    write_tree(tmp_path / "name", teachers=["nowhere"])
    assert refused(tmp_path / "name").startswith("train.teachers: 'nowhere' is neither a folder, nor a git revision")
    write_tree(tmp_path / "colour", teachers=[model])
    assert "was trained on grey faces; set data.channels: 1" in refused(coloured(tmp_path / "colour"))
    write_tree(tmp_path / "labels", teachers=[model])
    for path in (tmp_path / "labels" / INDEX, tmp_path / "labels" / COPIES):
        rows = read_index(path)
        write_index(rows.assign(label=rows["label"].replace("sadness", "fear")), path)
    params = tmp_path / "labels/params.yaml"
    params.write_text(params.read_text().replace("sadness", "fear"))
    assert refused(tmp_path / "labels").startswith(f"train.teachers: {model} does not know the label fear; ")
    shutil.copytree(model, tmp_path / "model")
    (tmp_path / "model/trained_on.csv").unlink()
    write_tree(tmp_path / "record", teachers=[str(tmp_path / "model")])
    assert refused(tmp_path / "record").startswith(f"train.teachers: {tmp_path / 'model'} has no trained_on.csv")


def with_another_test_face(root: Path, **changes: object) -> Path:
    """Write a tree in which face 4, which the teacher was trained on, is a test face."""
    write_tree(root, **{"epochs": 1} | changes)
    index = read_index(root / INDEX)
    index.loc[4, ["split", "fold"]] = "test", -1
    write_index(index, root / INDEX)
    return root


@pytest.mark.slow
def test_models_that_have_seen_test_faces_are_refused(tmp_path: Path, teacher_tree: Path) -> None:
    """A teacher, and a model that was taught by one, whether it is the start or a teacher; others are not named."""
    write_tree(tmp_path / "clean", seed=1, epochs=1)
    index = read_index(tmp_path / "clean" / INDEX)
    write_index(index.assign(split=index["split"].where(index["id"] != 4, "unused")), tmp_path / "clean" / INDEX)
    assert train(tmp_path / "clean").returncode == 0
    teacher, clean = str(teacher_tree / "data/model"), str(tmp_path / "clean/data/model")
    root = with_another_test_face(tmp_path / "student", teachers=[clean, teacher])
    counts = "1 of the 2 test faces (drawn-ck48: 1; same image: 1"
    assert refused(root).startswith(f"train.teachers: {teacher} was trained on {counts}")

    params = root / "params.yaml"
    params.write_text(params.read_text().replace("allow_seen_test: false", "allow_seen_test: true"))
    done = train(root)
    assert done.returncode == 0, done.stderr
    student = str(root / "data/model")
    assert json.loads((root / CONFIG).read_text())["seen_test"]["faces"] == 1
    other = with_another_test_face(tmp_path / "start", init=student, teachers=[clean])
    assert refused(other).startswith(f"train.init: {student} was trained on {counts}")
    other = with_another_test_face(tmp_path / "both", init=student, teachers=[teacher])
    assert refused(other).startswith(f"train.init: {student}, train.teachers: {teacher} were trained on {counts}")
