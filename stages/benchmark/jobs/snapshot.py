"""The working tree as a git bundle, from which other machines clone it."""

import os
import shutil
import subprocess
import sys
from tempfile import TemporaryDirectory

from stages.base.errors import one_line
from stages.benchmark.jobs.remote_job import SNAPSHOT

NAMED = 10  # files, at most


def bundle() -> bytes:
    """Return a git bundle of this repository and its experiments.

    The reference `SNAPSHOT` in it is the working tree with its uncommitted changes. Of new files it has those that the
    user has added to git; the others, which may be secret, are left out and named.
    """
    untracked = git("ls-files", "-z", "--others", "--exclude-standard").decode(errors="replace").split("\0")[:-1]
    if untracked:
        named = ", ".join(untracked[:NAMED]) + (f" and {len(untracked) - NAMED} more" if len(untracked) > NAMED else "")
        message = f"left out of the snapshot: {named}; `git add` the files that jobs need"
        print(one_line(message), file=sys.stderr, flush=True)
    with TemporaryDirectory() as folder:
        copied = f"{folder}/index"  # leaves what the user has staged as it is
        shutil.copy(git("rev-parse", "--git-path", "index").decode().removesuffix("\n"), copied)
        index = {"GIT_INDEX_FILE": copied}
        git("add", "--update", ":/", **index)
        tree = git("write-tree", **index).decode().strip()
    commit = git("-c", "user.name=benchmark", "-c", "user.email=benchmark", "commit-tree", "-m", "snapshot", tree)
    git("update-ref", SNAPSHOT, commit.decode().strip())
    try:
        return git("bundle", "create", "-q", "-", "--exclude=refs/stash", "--all")
    finally:
        git("update-ref", "-d", SNAPSHOT)


def git(*arguments: str, **environment: str) -> bytes:
    """Run git and return what it prints."""
    return subprocess.run(["git", *arguments], env=os.environ | environment, stdout=subprocess.PIPE, check=True).stdout
