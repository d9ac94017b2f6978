"""A job on another machine, in a clone that exists as long as the job runs.

This file is sent to the machine as it is. It may import nothing of this project.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from ruamel.yaml import YAML

SNAPSHOT = "refs/benchmark/snapshot"
# `cat` ends when this process ends, however it ends: then the job's process group is ended and its folder removed.
# It runs in the background, since Ray kills the direct children of a process that it ends.
CLEAN_UP = 'exec 3<&0; (trap "" TERM; cat <&3; kill 0; sleep 1; rm -rf "$1") &'


def run(
    bundle: bytes, data: list[str], project: str, stages: list[str], folder: str
) -> tuple[str, bytes | None, dict[str, Any]]:
    """Run DVC stages on a snapshot of the repository, with data from the DVC remote.

    Args:
        bundle: the git bundle of the repository, with the snapshot.
        data: stages of the main pipeline whose outputs are pulled.
        project: folder of the DVC project that has the stages.
        stages: the stages to run, after the project's stage `check`.
        folder: the folder that they write.

    Returns:
        What was printed; `folder` as a zip file, or None if a command failed; and what DVC recorded of each stage.
    """
    with temporary_clone() as (root, group):
        (root / "bundle").write_bytes(bundle)
        path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}  # stages run this Python
        environment = {**os.environ, **path, "DVC_SITE_CACHE_DIR": str(root / "site")}
        dvc = [sys.executable, "-m", "dvc"]
        printed = ""
        for command in (
            ["git", "init", "-q"],
            ["git", "fetch", "-q", "--update-head-ok", "../bundle", "+refs/*:refs/*"],
            ["git", "checkout", "-q", "--force", "--detach", SNAPSHOT],
            [*dvc, "pull", *data],
            [*dvc, "--cd", project, "repro", "--single-item", "--no-run-cache", "check", *stages],
        ):
            done = subprocess.run(
                command,
                cwd=root / "clone",
                env=environment,
                process_group=group,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            printed += done.stdout
            if done.returncode:
                return printed, None, {}
        results = Path(shutil.make_archive(str(root / "results"), "zip", root / "clone" / folder)).read_bytes()
        return printed, results, recorded(root / "clone", project, stages)


@contextmanager
def temporary_clone() -> Iterator[tuple[Path, int]]:
    """Yield a folder, which holds an empty folder `clone`, and a process group; both end with this process."""
    root = Path(mkdtemp(prefix="benchmark-"))
    (root / "clone").mkdir()
    with subprocess.Popen(["sh", "-c", CLEAN_UP, "sh", root], stdin=subprocess.PIPE, process_group=0) as cleaner:
        yield root, cleaner.pid


def recorded(repository: Path, project: str, stages: list[str]) -> dict[str, Any]:
    """Return what the lock file of the DVC project says of each stage."""
    lock = YAML(typ="safe").load(repository / project / "dvc.lock")["stages"]
    return {name: lock[name] for name in stages}
