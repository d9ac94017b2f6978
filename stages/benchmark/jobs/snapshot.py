"""The working tree as a git bundle, to be cloned on other machines."""

import os
import subprocess
from tempfile import TemporaryDirectory

from stages.benchmark.jobs.remote_job import SNAPSHOT


def bundle() -> bytes:
    """This repository with its experiments and, as `SNAPSHOT`, the working tree with its edits and new files."""
    with TemporaryDirectory() as beside:
        index = {"GIT_INDEX_FILE": f"{beside}/index"}  # what the user has staged stays as it is
        git("add", "--all", **index)
        tree = git("write-tree", **index).decode().strip()
    commit = git("-c", "user.name=benchmark", "-c", "user.email=benchmark", "commit-tree", "-m", "snapshot", tree)
    git("update-ref", SNAPSHOT, commit.decode().strip())
    try:
        return git("bundle", "create", "-q", "-", "--all")
    finally:
        git("update-ref", "-d", SNAPSHOT)


def git(*arguments: str, **environment: str) -> bytes:
    """Run git; what it prints."""
    return subprocess.run(["git", *arguments], env=os.environ | environment, stdout=subprocess.PIPE, check=True).stdout
