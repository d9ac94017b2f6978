"""Export: the files compute what the model does, and say what it is."""

import json
import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
import torch

from helpers.small_model import LABELS, write_model
from stages.base.errors import InputError
from stages.faces.table import write_faces, write_index
from stages.models.forward import model_logits
from stages.models.saved_model import load
from stages.publishing import export
from stages.publishing.comparison import parity
from stages.publishing.graph import Calibrated, face_shape
from stages.publishing.latency import latencies
from stages.publishing.metadata import metadata
from stages.publishing.onnx_file import open_onnx, write_onnx
from stages.publishing.quantization import left_out, write_quantized

FACTS = {
    "recipe": {"dropout": 0.3, "strength": 0.5, "test_views": 1, "init": "random"},
    "sources": {"drawn-ck48": {"licence": "CC0-1.0", "drawn": True}},
}
COLOUR = {
    "channels": 3,
    "face_size": 64,
    "inputs": {"size": 48, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.1], "per_face": True},
    "recipe": FACTS["recipe"] | {"test_views": 10},
    "temperature": 4.0,
}


def write(model: Path, file: Path) -> None:
    network, config = load(model)
    write_onnx(Calibrated(network, config), face_shape(config), metadata(config), file)


@pytest.fixture(scope="module")
def grey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of grey faces and its ONNX file."""
    folder = tmp_path_factory.mktemp("grey")
    write(write_model(folder / "model", **FACTS), folder / "model.onnx")
    return folder


@pytest.fixture(scope="module")
def colour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of larger colour faces, normalised each by itself, with ten views."""
    folder = tmp_path_factory.mktemp("colour")
    write(write_model(folder / "model", **FACTS | COLOUR), folder / "model.onnx")
    return folder


def random_faces(count: int, *shape: int) -> np.ndarray:
    """Faces of different brightness and contrast."""
    draw = np.random.default_rng(0)
    centres, reach = draw.uniform(60, 190, (count, *[1] * len(shape))), draw.uniform(10, 60, (count, *[1] * len(shape)))
    return (centres + reach * draw.uniform(-1, 1, (count, *shape))).astype(np.uint8)


@pytest.mark.parametrize("which", ["grey", "colour"])
def test_the_file_computes_what_evaluate_does_for_any_number_of_faces(which: str, request: pytest.FixtureRequest):
    folder = request.getfixturevalue(which)
    network, config = load(folder / "model")
    predict = open_onnx(folder / "model.onnx", threads=1)
    for count in (1, 2, 9):
        faces = random_faces(count, *face_shape(config))
        found = predict(faces)
        outputs = model_logits(network, config, torch.from_numpy(faces)).double()
        np.testing.assert_allclose(found, (outputs / config["temperature"]).softmax(1), atol=1e-5)
        assert found.dtype == np.float32 and found.shape == (count, len(LABELS))
    assert np.ptp(found, 0).max() > 0.01  # faces are told apart


def test_the_file_says_what_it_is_and_nothing_of_this_machine(colour: Path):
    model = onnx.load(colour / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(about["labels"]) == LABELS and (about["face_size"], about["channels"]) == ("64", "3")
    assert json.loads(about["data"]) == FACTS["sources"] and about["licence"] == "cc0-1.0"
    assert "public domain" in about["terms"]
    config = json.loads((colour / "model/config.json").read_text())
    assert about["weights_sha256"] == config["sha256"]["weights"]
    (faces,), (probabilities,) = model.graph.input, model.graph.output
    assert (faces.name, probabilities.name) == ("faces", "probabilities")
    content = (colour / "model.onnx").read_bytes()
    root = str(Path(__file__).parents[2]).encode()
    assert not any(part in content for part in (root, sys.prefix.encode(), b".py", b"stack_trace"))


def test_the_same_model_gives_the_same_bytes(grey: Path, tmp_path: Path):
    write(grey / "model", tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == (grey / "model.onnx").read_bytes()


def test_the_quantised_file_predicts_alike_and_repeats(grey: Path, tmp_path: Path):
    faces = random_faces(40, 48, 48)
    for name in ("one", "two"):
        write_quantized(grey / "model.onnx", faces, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    exact, quantised = onnx.load(grey / "model.onnx"), onnx.load(tmp_path / "one")
    assert quantised.metadata_props == exact.metadata_props
    assert any(node.op_type == "QuantizeLinear" for node in quantised.graph.node)
    assert (tmp_path / "one").stat().st_size < (grey / "model.onnx").stat().st_size
    assert str(tmp_path).encode() not in (tmp_path / "one").read_bytes()
    one, other = open_onnx(grey / "model.onnx")(faces), open_onnx(tmp_path / "one")(faces)
    assert 0 < np.abs(one - other).max() < 0.1
    np.testing.assert_allclose(other.sum(1), 1, atol=1e-5)  # the softmax is not quantised


@pytest.mark.parametrize(
    ("milliseconds", "macro_f1", "reason"),
    [
        ({"onnx": 4.0, "int8": 2.0}, {"onnx": 0.6, "int8": 0.591}, None),
        ({"onnx": 4.0, "int8": 2.0}, {"onnx": 0.6, "int8": 0.7}, None),
        ({"onnx": 4.0, "int8": 3.5}, {"onnx": 0.6, "int8": 0.6}, "1.14 times as fast"),
        ({"onnx": 4.0, "int8": 2.0}, {"onnx": 0.6, "int8": 0.58}, "lower by 0.020"),
    ],
)
def test_the_quantised_file_is_left_out_if_it_is_slow_or_worse(milliseconds: dict, macro_f1: dict, reason: str | None):
    found = left_out(milliseconds, macro_f1)
    assert (reason is None and found is None) or reason in found


@pytest.mark.parametrize("drift", [2e-4, float("nan")])
def test_parity_refuses_a_difference_and_another_label(drift: float):
    expected = np.array([[0.2, 0.8], [0.5, 0.5]], np.float32)
    assert parity(expected, expected + 5e-5) == {
        "faces": 2, "largest_difference": pytest.approx(5e-5, rel=1e-2), "different_labels": 0,
    }  # fmt: skip
    drifted = expected + np.array([[0, drift], [0, 0]], np.float32)  # the same labels
    for changed in (drifted, expected + np.array([[0, 0], [0, 1e-5]], np.float32)):
        with pytest.raises(InputError, match="differs from the trained one"):
            parity(expected, changed)


def test_latencies_tell_slow_from_fast():
    numbers = np.random.default_rng(0).random((200, 200))
    slow, fast = (partial(lambda count, _: [numbers @ numbers for _ in range(count)], count) for count in (10, 1))
    found = latencies({"slow": slow, "fast": fast}, numbers)
    assert found["slow"] > 2 * found["fast"] > 0


@pytest.fixture
def ready(grey: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the stage reads: the grey model, and 60 faces in a test part and three folds."""
    shutil.copytree(grey / "model", tmp_path / "data/model")
    faces = random_faces(60, 48, 48)
    rows = pd.DataFrame({"id": range(60), "dataset": "drawn-ck48", "file": [f"{n}.png" for n in range(60)]})
    rows = rows.assign(label=[LABELS[n % 3] for n in range(60)], group=range(60), split="train", fold=rows.id % 4 - 1)
    rows.loc[rows.fold < 0, "split"] = "test"
    for name in ("merged", "split"):
        (tmp_path / "data" / name).mkdir()
    write_faces(faces, faces.shape, tmp_path / "data/merged/faces.npy")
    write_index(rows, tmp_path / "data/split/index.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_stage_writes_the_files_and_how_good_they_are(
    ready: Path, grey: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr(export, "latencies", lambda *_: {"torch": 3.0, "onnx": 2.0, "int8": 1.0})
    monkeypatch.setattr(export, "write_onnx", lambda *arguments: shutil.copy(grey / "model.onnx", arguments[-1]))
    export.main()
    metrics = json.loads((ready / "metrics/export.json").read_text())
    assert metrics["faces"] == 15 and metrics["largest_difference"] < 1e-5
    assert set(metrics["test"]) == set(metrics["validation"]) == {"onnx", "int8"}
    left = metrics.get("int8_left_out")
    assert {file.name for file in (ready / "data/export").iterdir()} == {"model.onnx"} | (
        set() if left else {"model-int8.onnx"}
    )
    assert (left is None) == (metrics["validation"]["onnx"] - metrics["validation"]["int8"] <= 0.01)
    assert metrics["bytes"]["onnx"] == (ready / "data/export/model.onnx").stat().st_size

    monkeypatch.setattr(export, "latencies", lambda *_: {"torch": 3.0, "onnx": 2.0, "int8": 2.0})
    export.main()
    assert [file.name for file in (ready / "data/export").iterdir()] == ["model.onnx"]
    assert "model-int8.onnx is left out: 1.00 times as fast" in capsys.readouterr().out


def test_a_file_that_computes_something_else_ends_the_stage(
    ready: Path, colour: Path, grey: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.rmtree(ready / "data/model")
    write_model(ready / "data/model", **FACTS, temperature=0.55)
    monkeypatch.setattr(export, "write_onnx", lambda *arguments: shutil.copy(grey / "model.onnx", arguments[-1]))
    with pytest.raises(InputError, match="differs from the trained one.*nothing is written"):
        export.main()
    assert not (ready / "metrics").exists() and {path.name for path in (ready / "data").iterdir()} == {
        "merged", "model", "split",
    }  # fmt: skip


@pytest.mark.parametrize("package", ["onnxscript", "onnx_ir"])
def test_a_missing_package_is_named(ready: Path, package: str, monkeypatch: pytest.MonkeyPatch):
    for name in [*sys.modules]:
        if name.split(".")[0] == package:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=f"the package {package}.* is not installed; pip install onnx onnxscript"):
        export.main()
    assert not (ready / "data/export").exists()


def test_a_model_of_other_faces_is_refused(ready: Path):
    faces = random_faces(60, 32, 32)
    write_faces(faces, faces.shape, ready / "data/merged/faces.npy")
    with pytest.raises(InputError, match=r"data/model: was trained on faces of another form.*dvc repro"):
        export.main()
