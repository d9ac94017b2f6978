"""A copy of this project in a folder of its own, and its commands as real processes."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = tempfile.mkdtemp(prefix="fer-tests-")  # this run's own, so that no other training goes on from its checkpoints
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)
ENVIRONMENT = os.environ | {
    "XDG_CACHE_HOME": CACHE,
    "PYTHONPATH": "",
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # `python` is the one that runs the tests
    "DVC_NO_ANALYTICS": "1",
    "SHELL": "/bin/sh",  # DVC runs stages by it; dash stays above what it runs, where bash makes way
}
COPIED = (
    "stages",
    "data/dvc.yaml",
    "data/exclude.csv",
    "data/fingerprints/local.json",
    "dvc.yaml",
    "params.yaml",
    ".dvc/.gitignore",
    ".dvc/config",
    ".dvc/plots",
    ".dvcignore",
    ".gitignore",
)


def source(drawn: bool) -> dict:
    """The content of the source.json of an archive."""
    return {"from": "somewhere", "licence": "its own", "drawn": drawn, "files": {}}


class Project:
    """A working copy of this project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def copy(cls, folder: Path) -> "Project":
        """The project as it stands, without what its stages have written."""
        for name in COPIED:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__", "tmp", "cache"))
            else:
                shutil.copy(ROOT / name, target)
        return cls(folder)

    def clone(self, folder: Path) -> "Project":
        """A clone of this project's repository."""
        self.ok("git", "clone", "-q", ".", str(folder))
        return Project(folder)

    def edit(self, file: str, *changes: tuple[str, str]) -> None:
        """Replace, in one file, the first of each old text by its new one; the old one must be there."""
        text = (self.folder / file).read_text()
        for old, new in changes:
            assert old in text, f"{file} has no {old!r}"
            text = text.replace(old, new, 1)
        (self.folder / file).write_text(text)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess:
        """Run a command in the project; `python` and `dvc` are those of the tests."""
        return subprocess.run(
            command, cwd=self.folder, env=ENVIRONMENT | environment, capture_output=True, text=True, timeout=600
        )

    def ok(self, *command: str, **environment: str) -> str:
        """Run a command that must succeed; its standard output."""
        done = self.run(*command, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stage(self, name: str, *arguments: str, **environment: str) -> str:
        return self.ok("python", "-m", f"stages.{name}", *arguments, **environment)

    def refused(self, name: str, *arguments: str) -> str:
        """Run a stage that must end with exit code 1 and one line, and write nothing; that line."""
        before = self.written()
        done = self.run("python", "-m", f"stages.{name}", *arguments)
        assert done.returncode == 1, done.stdout + done.stderr
        assert done.stderr.startswith("ERROR: ") and done.stderr.count("\n") == 1, done.stderr
        assert self.written() == before
        return done.stderr.removeprefix("ERROR: ").strip()

    def give(self, dataset: str, archive: Path) -> None:
        """Put an archive where download would put it, as real faces."""
        folder = self.folder / "data/archives" / dataset
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(archive, folder)
        (folder / "source.json").write_text(json.dumps(source(drawn=False)))

    def written(self) -> dict[str, int]:
        """Every file under data/, metrics/ and plots/, and its modification time."""
        return {
            str(path.relative_to(self.folder)): path.stat().st_mtime_ns
            for name in ("data", "metrics", "plots")
            for path in (self.folder / name).rglob("*")
            if path.is_file()
        }
