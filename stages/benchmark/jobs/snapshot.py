"""The working tree as a git bundle, from which other machines clone it."""

import os
import subprocess
from tempfile import TemporaryDirectory

from stages.benchmark.jobs.remote_job import SNAPSHOT


def bundle() -> bytes:
    """Return a git bundle of this repository and its experiments.

    The reference `SNAPSHOT` in it is the working tree with its uncommitted changes and new files.
    """
    with TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": f"{folder}/index"}  # leaves what the user has staged as it is
        git("add", "--all", **index)
        tree = git("write-tree", **index).decode().strip()
    commit = git("-c", "user.name=benchmark", "-c", "user.email=benchmark", "commit-tree", "-m", "snapshot", tree)
    git("update-ref", SNAPSHOT, commit.decode().strip())
    try:
        return git("bundle", "create", "-q", "-", "--all")
    finally:
        git("update-ref", "-d", SNAPSHOT)


def git(*arguments: str, **environment: str) -> bytes:
    """Run git and return what it prints."""
    return subprocess.run(["git", *arguments], env=os.environ | environment, stdout=subprocess.PIPE, check=True).stdout
