"""A full disk and a missing permission: one line with the path and the cause, and the outputs stay as they were."""

import hashlib
from pathlib import Path

import pytest

from helpers.project import Project

STAGES = ["download", "merge", "clean", "split", "augment", "explore"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the outputs of the stages before training."""
    project = Project.copy(tmp_path_factory.mktemp("faults") / "project")
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[jaffe]"))
    project.edit("params.yaml", ("folds: 5", "folds: 2"), ("size: 48", "size: 24"))
    for stage in STAGES:
        project.stage(stage, *(["jaffe"] if stage == "download" else []))
    return project


def hashes(project: Project) -> dict[str, str]:
    return {name: hashlib.sha256((project.folder / name).read_bytes()).hexdigest() for name in project.written()}


@pytest.mark.parametrize("stage", STAGES)
def test_a_full_disk_is_one_line_and_the_next_run_writes_the_same(made: Project, stage: str):
    before, dataset = hashes(made), ["jaffe"] if stage == "download" else []
    done = made.run("sh", "-c", 'ulimit -f 1; exec python -m "$@"', "sh", f"stages.{stage}", *dataset)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(("ERROR: data/", "ERROR: plots/")) and done.stderr.endswith(": File too large\n")
    assert hashes(made) == before
    made.stage(stage, *dataset)
    assert hashes(made) == before


def test_a_missing_list_of_excluded_faces_is_one_line(made: Project, tmp_path: Path):
    (made.folder / "data/exclude.csv").rename(tmp_path / "exclude.csv")
    line = made.refused("split")
    (tmp_path / "exclude.csv").rename(made.folder / "data/exclude.csv")
    assert line == "data/exclude.csv: No such file or directory"


@pytest.mark.slow
def test_a_full_disk_after_the_split_is_one_line(made: Project):
    made.edit("params.yaml", ("model: cnn5", "model: mini_xception"), ("epochs: 12", "epochs: 2"))
    made.stage("check")
    stages = ("train", "evaluate", "explain", "report")
    for stage in stages:
        made.stage(stage)
    before = hashes(made)
    for stage in stages:
        done = made.run("sh", "-c", 'ulimit -f 1; exec python -m "$@"', "sh", f"stages.{stage}")
        *_, line = done.stderr.splitlines()
        assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
        assert line.startswith("ERROR: DVC" if stage == "train" else ("ERROR: data/", "ERROR: plots/"))
        assert hashes(made) == before


def test_a_file_in_place_of_a_folder_is_one_line(made: Project, tmp_path: Path):
    (made.folder / "metrics").rename(tmp_path / "metrics")
    (made.folder / "metrics").write_text("")
    done = made.run("python", "-m", "stages.split")
    (made.folder / "metrics").unlink()
    (tmp_path / "metrics").rename(made.folder / "metrics")
    assert (done.returncode, done.stderr) == (1, "ERROR: metrics: File exists\n")
