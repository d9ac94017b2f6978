"""The measurements on a GPU, rehearsed on the CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from helpers import trainable
from helpers.project import ENVIRONMENT, ROOT
from speed.gpu import smoke
from speed.gpu.setting import Setting
from stages.models.networks import build
from stages.training import loop
from stages.training.checkpoint import Checkpoint
from stages.training.objective import loss

CPU = torch.device("cpu")
SIZE = 48


@pytest.fixture
def recipe():
    setting = Setting(CPU, ["mini_xception"], None, 1, True)
    ((_, recipe, _),) = setting.recipes()
    return recipe.model_copy(update={"precision": "float32", **smoke.EXACT})


def fer_project(folder: Path) -> Path:
    """Return a project with two classes of faces, a third of them in FER2013's official test part."""
    trainable.write_tree(folder, epochs=6)
    path = folder / "data/split/index.csv"
    index = pd.read_csv(path)
    index["dataset"], tested = "fer2013", index["id"] >= 20
    index["split"], index["official"] = tested.map({True: "test", False: "train"}), "train"
    index.loc[tested, "official"] = "test"
    index.to_csv(path, index=False)
    return folder


@pytest.mark.slow
def test_every_command_is_rehearsed(tmp_path: Path) -> None:
    project = fer_project(tmp_path / "project")
    command = ["all", "--rehearse", "--arch", "mini_xception", "--seeds", "1"]
    options = ["--project", str(project), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "tests/speed/gpu", *command, *options],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    reports = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "out").iterdir()}
    assert set(reports) == {"smoke", "loop", "usual", "peak", "fer"}
    for report in reports.values():
        assert report["rehearsal"] and report["torch"] == torch.__version__ and len(report["commit"]) >= 40
    results = {name: report["results"] for name, report in reports.items()}
    assert len(results["smoke"]) == 3 and all(cell["resume"] == "ok" for cell in results["smoke"].values())
    assert len({cell["sha256"] for cell in results["smoke"].values()}) == 3
    assert results["loop"]["mini_xception@48"]["ratio"] > 0 and results["usual"]["mini_xception@48"]["faces"] == 20
    assert results["peak"]["mini_xception@48"]["share_of_matmul"] > 0
    fer = results["fer"]["seed 0"]
    assert fer["test_faces"] == 11 and len(fer["epochs"]) == 6
    reached = [seconds for seconds, accuracy in fer["epochs"] if accuracy >= 0.7]
    assert fer["seconds_to_0.7"] == pytest.approx(reached[0], abs=0.01)
    assert fer["seconds_with_imports_to_0.7"] > fer["seconds_to_0.7"] + 1


def test_a_run_that_does_not_repeat_is_reported(recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def random(*args):
        torch.seed()
        return build(*args)

    monkeypatch.setattr(smoke, "build", random)
    cell = smoke.cell(recipe, SIZE, CPU)
    assert cell["repeat"] == "AssertionError: the second run has other weights" and "repeat" in cell["error"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda state: None, "the training went on from step 0"),
        (lambda state: state | {"optimizer": state["optimizer"] | {"state": {}}}, "the resumed run has other weights"),
    ],
)
def test_a_training_that_does_not_resume_is_reported(change, line, recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    load = Checkpoint.load
    monkeypatch.setattr(Checkpoint, "load", lambda self: (state := load(self)) and change(state))
    cell = smoke.cell(recipe, SIZE, CPU)
    assert cell["repeat"] == "ok" and cell["resume"] == f"AssertionError: {line}" and line in cell["error"]


def test_the_steps_of_an_epoch_and_nothing_else_must_not_wait(recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", modes.append)
    smoke.watch(recipe, SIZE, CPU)
    assert modes == [*(smoke.EPOCHS - 1) * ["error", "default"], "default"]  # an epoch is one chunk here


def test_a_step_that_waits_is_reported(recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", modes.append)

    def waits(*_):
        if modes and modes[-1] == "error":
            raise RuntimeError("called a synchronizing CUDA operation")
        return loss(*_)

    monkeypatch.setattr(loop, "loss", waits)
    line = smoke.outcome(lambda: smoke.watch(recipe, SIZE, CPU))
    assert line == "RuntimeError: called a synchronizing CUDA operation" and modes[-1] == "default"
