"""The table of training on one data set and testing on another, from made-up runs."""

import json
import re
from pathlib import Path

import pytest

from helpers import saved
from helpers.project import Project
from stages.base.errors import InputError
from stages.base.paths import RunPaths
from stages.benchmark import cross_dataset

SETS = ("ck48", "jaffe", "sfew")


@pytest.fixture
def runs(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder is a project with a run of each data set alone, and the pipeline's own."""
    monkeypatch.chdir(project.folder)
    for number, name in enumerate((*SETS, None)):
        paths = RunPaths.of(name and f"data/cross/{name}")
        paths.model.mkdir(parents=True)
        paths.metrics.parent.mkdir(parents=True, exist_ok=True)
        labels = ["happy", "anger", "neutral"][: 2 + (name != "ck48")]
        (paths.model / "config.json").write_text(json.dumps(saved.signed(labels=labels, drawn_faces=name != "sfew")))
        figures = {"faces": 9, "groups": 3, "accuracy": 0.5, "kappa": 0.1}
        sets = {on: figures | {"macro_f1": round(number / 10 + place / 100, 6)} for place, on in enumerate(SETS)}
        paths.metrics.write_text(json.dumps({"test": {"per_dataset": sets}}))


def test_each_row_is_a_run_and_each_column_a_test_part(runs: None, capsys: pytest.CaptureFixture) -> None:
    cross_dataset.main()
    found = json.loads(Path("metrics/cross.json").read_text())
    assert found["model"] == "cnn5" and found["drawn_faces"] and list(found["trained_on"]) == [*SETS, "all"]
    assert all(set(row) == {"labels", "tested_on"} for row in found["trained_on"].values())
    assert found["trained_on"]["ck48"]["labels"] == ["happy", "anger"]
    assert found["trained_on"]["jaffe"]["tested_on"]["sfew"] == {
        "faces": 9, "groups": 3, "accuracy": 0.5, "macro_f1": 0.12
    }  # fmt: skip
    told = capsys.readouterr().out
    assert "jaffe 0.100  0.110 0.120\n" in told and "drawn" in told


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ({}, "test: missing"),
        ({"test": []}, "test: [] is not allowed"),
        ({"test": {"per_dataset": {"sfew": {"faces": 9, "macro_f1": 0.1}}}}, "test.per_dataset.sfew.accuracy: missing"),
    ],
)
def test_metrics_that_were_edited_by_hand_are_named_with_their_key(runs: None, metrics: dict, message: str) -> None:
    Path("data/cross/jaffe/metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(InputError, match=re.escape(f"data/cross/jaffe/metrics.json: {message}")):
        cross_dataset.main()


def test_leaks_are_told(runs: None, capsys: pytest.CaptureFixture) -> None:
    path = Path("data/cross/jaffe/metrics.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"leaks": {"faces": 7, "of": 27}}))
    cross_dataset.main()
    assert json.loads(Path("metrics/cross.json").read_text())["trained_on"]["jaffe"]["leaks"] == {"faces": 7, "of": 27}
    told = capsys.readouterr().out
    assert "trained on jaffe: leaks: 7 of 27 test faces" in told and told.count("leaks") == 1


def test_test_faces_seen_by_other_models_are_told(runs: None, capsys: pytest.CaptureFixture) -> None:
    path = Path("data/cross/jaffe/metrics.json")
    seen = {"faces": 7, "of": 27, "same_image": 5, "near_duplicate": 2, "same_group": 0}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seen_test": seen}))
    cross_dataset.main()
    assert json.loads(Path("metrics/cross.json").read_text())["trained_on"]["jaffe"]["seen_test"] == seen
    told = capsys.readouterr().out
    assert "trained on jaffe: initial weights or teachers saw at least 7 of 27 test faces" in told
    assert told.count("saw at least") == 1


def test_a_run_that_is_not_there_is_refused(project: Project, runs: None) -> None:
    Path("data/cross/jaffe/metrics.json").unlink()
    line = project.refused("benchmark.cross_dataset")
    assert line.startswith("data/cross/jaffe/metrics.json: not found") and "python -m stages.benchmark.run" in line
