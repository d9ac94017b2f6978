"""Where figures come from: the code, the versions and the files that made them."""

import hashlib
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

PACKAGES = ("torch", "torchvision", "timm", "numpy", "pandas", "scikit-learn", "dvc")


def tree_id(folder: Path) -> str | None:
    """The git tree id of `folder` as it is on disk: `git rev-parse HEAD:<folder>` once it is committed.

    A commit's id cannot be written into what is committed with it; its tree's id can. The repository is left as it
    is: what git writes goes to a temporary index and a temporary store of objects. None outside a repository.
    """
    try:
        prefix, objects = _git("rev-parse", "--show-prefix", "--git-path", "objects").split("\n")
        with TemporaryDirectory() as beside:
            aside = {
                "GIT_INDEX_FILE": f"{beside}/index",
                "GIT_OBJECT_DIRECTORY": beside,
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(Path(objects).resolve()),
            }
            try:
                _git("read-tree", "HEAD", **aside)  # a file that is tracked counts even where git would ignore it
            except subprocess.CalledProcessError:
                pass  # nothing is committed yet
            _git("add", "--all", str(folder), **aside)
            return _git("write-tree", f"--prefix={prefix}{folder.as_posix()}/", **aside)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that figures depend on most, those that are installed."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _git(*arguments: str, **environment: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return done.stdout.removesuffix("\n")
