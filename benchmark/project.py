"""The project as it stands: the benchmark's jobs that are not up to date, what they read, and a snapshot to clone.

A job trains and evaluates one model on one fold with one seed; DVC calls it model-fold-seed.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ruamel.yaml import YAML

PIPELINE = "benchmark/dvc.yaml"
SNAPSHOT = "refs/benchmark/snapshot"
DVC = (sys.executable, "-m", "dvc")


def waiting() -> list[str]:
    """The jobs that are not up to date."""
    told = subprocess.run([*DVC, "status", "--json", PIPELINE], stdout=subprocess.PIPE, check=True)
    stages = (name.removeprefix(f"{PIPELINE}:").partition("@") for name in json.loads(told.stdout))
    return list(dict.fromkeys(job for stage, _, job in stages if stage in ("train", "evaluate")))


def train_and_evaluate(job: str) -> list[str]:
    """The stages of a job."""
    return [f"{PIPELINE}:{stage}@{job}" for stage in ("train", "evaluate")]


def inputs() -> list[str]:
    """The paths that the main pipeline wrote and jobs read."""
    stages = YAML(typ="safe").load(Path(PIPELINE))["stages"]
    paths = {path for stage in ("train", "evaluate") for path in stages[stage]["deps"]}
    return sorted(path for path in paths if path.startswith("data/") and "${" not in path)


def snapshot() -> None:
    """Keep the working tree, edits and new files included, as a git commit beside all branches."""
    with TemporaryDirectory() as folder:
        index = Path(folder) / "index"  # what the user has staged stays as it is
        if (own := Path(git("rev-parse", "--git-path", "index"))).exists():
            shutil.copy(own, index)  # knows the hashes of what has not changed
        git("add", "--all", GIT_INDEX_FILE=str(index))
        tree = git("write-tree", GIT_INDEX_FILE=str(index))
    commit = git("-c", "user.name=benchmark", "-c", "user.email=benchmark", "commit-tree", "-m", "snapshot", tree)
    git("update-ref", SNAPSHOT, commit)


def clone(source: Path, folder: Path) -> None:
    """Clone a repository, or a bundle of one, at its snapshot; branches and experiments come along."""
    git("init", "-q", str(folder))
    git("-C", str(folder), "fetch", "-q", "--update-head-ok", "--update-shallow", str(source), "+refs/*:refs/*")
    git("-C", str(folder), "checkout", "-q", "--force", "--detach", SNAPSHOT)


def bundle() -> bytes:
    """This repository with its branches, experiments and snapshot, as one file."""
    return subprocess.run(["git", "bundle", "create", "-q", "-", "--all"], stdout=subprocess.PIPE, check=True).stdout


def git(*arguments: str, **environment: str) -> str:
    """Run git; what it prints."""
    done = subprocess.run(["git", *arguments], env=os.environ | environment, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().strip()


def with_python() -> dict[str, str]:
    """The environment for DVC, whose stages' `python` shall be this one."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
