"""A small demo in a git and DVC repository of its own, and what DVC did there."""

import os
import re
import signal
import subprocess
import time

from ruamel.yaml import YAML

from helpers.project import ENVIRONMENT, Project

SMALL = (
    ("[ck48, jaffe, sfew]", "[ck48, jaffe]"),
    ("ck48: {faces: 360}", "ck48: {faces: 130}"),
    ("jaffe: {faces: 150}", "jaffe: {faces: 70}"),
    ("folds: 5", "folds: 3"),
    ("epochs: 12", "epochs: 1"),
    ("googlenet: {input_size: 96}", "googlenet: {input_size: 48}"),
    ("size: 48", "size: 24"),
)


def small(project: Project) -> Project:
    """Make it a git and DVC repository with a small demo, nothing run yet."""
    project.edit("params.yaml", *SMALL)
    project.ok("git", "init", "-q", "-b", "main", ".")
    for key in ("user.name", "user.email"):
        project.ok("git", "config", key, "test")
    commit(project)
    return project


def commit(project: Project) -> None:
    project.ok("git", "add", "-A")
    project.ok("git", "commit", "-q", "-m", "as it is")


def ran(said: str) -> list[str]:
    """The stages that a repro ran, as told, but for the one that runs every time."""
    return [stage for stage in re.findall(r"Running stage '(.+?)'", said) if stage != "data/dvc.yaml:fingerprints"]


def locked(project: Project) -> dict:
    return YAML(typ="safe").load(project.folder / "dvc.lock")["stages"]


def hashes(project: Project, *stages: str) -> dict[str, list]:
    lock = locked(project)
    return {stage: [(out["path"], out["md5"]) for out in lock[stage].get("outs", [])] for stage in stages or lock}


def killed_in(project: Project, stage: str, *command: str) -> list[str]:
    """Kill a repro, with all that it started, soon after it begins a stage; the stages that it began."""
    process = subprocess.Popen(
        command, cwd=project.folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        start_new_session=True,
    )  # fmt: skip
    begun = []
    while not (begun and begun[-1].endswith(stage)):
        line = process.stdout.readline()
        assert line, f"it ended before {stage}: {begun}"
        begun += ran(line)
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return begun
