"""A job on another machine, in a clone that lasts as long as it; knows nothing of this project but its DVC stages."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from ruamel.yaml import YAML

SNAPSHOT = "refs/benchmark/snapshot"
# `cat` ends with whoever holds the pipe. In the background, since Ray kills the children of a process that it ends.
LAST = 'exec 3<&0; (trap "" TERM; cat <&3; kill 0; sleep 1; rm -rf "$1") &'


def run(bundle: bytes, stages: list[str], folder: str) -> tuple[str, bytes | None, dict]:
    """Run DVC stages on the snapshot in a git bundle, with data from the DVC remote.

    Returns what was told and, where all went well, `folder` as a zip file and what DVC recorded of each stage.
    """
    with place() as (here, group):
        (here / "bundle").write_bytes(bundle)
        own = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}  # stages' `python` is this one
        environment = os.environ | own | {"DVC_SITE_CACHE_DIR": str(here / "site")}
        told = ""
        for command in (
            ["git", "init", "-q"],
            ["git", "fetch", "-q", "--update-head-ok", "../bundle", "+refs/*:refs/*"],
            ["git", "checkout", "-q", "--force", "--detach", SNAPSHOT],
            [sys.executable, "-m", "dvc", "repro", "--single-item", "--pull", "--no-run-cache", *stages],
        ):
            done = subprocess.run(
                command, cwd=here / "clone", env=environment, process_group=group,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
            told += done.stdout
            if done.returncode:
                return told, None, {}
        packed = Path(shutil.make_archive(str(here / "results"), "zip", here / "clone" / folder)).read_bytes()
        return told, packed, recorded(here / "clone", stages)


@contextmanager
def place() -> Iterator[tuple[Path, int]]:
    """A folder, with an empty `clone` in it, and a process group; both go when this process does, however."""
    here = Path(mkdtemp(prefix="benchmark-"))
    (here / "clone").mkdir()
    with subprocess.Popen(["sh", "-c", LAST, "sh", here], stdin=subprocess.PIPE, process_group=0) as last:
        yield here, last.pid


def recorded(repository: Path, stages: list[str]) -> dict:
    """What DVC's lock file says of each stage, such as `stages/benchmark/dvc.yaml:train@cnn5-0-0`."""
    names = [stage.partition(":")[2] for stage in stages]
    lock = YAML(typ="safe").load(repository / "stages/benchmark/dvc.lock")["stages"]
    return {name: lock[name] for name in names}
