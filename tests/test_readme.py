"""README's words hold: its commands run, in order, in a fresh clone."""

import re
import time
from pathlib import Path

import pytest

from helpers.project import ROOT, Project
from helpers.repository import commit, small


def commands(heading: str) -> list[str]:
    """The first block of commands under a heading, without their remarks."""
    section = (ROOT / "README.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    block = re.search(r"(?:^    .*\n)+", section, re.MULTILINE)[0]
    return [re.sub(r"\s+# .*", "", line.strip()) for line in block.splitlines()]


@pytest.mark.slow
def test_every_command_of_the_workflow_runs_in_order_in_a_fresh_clone(project: Project, tmp_path: Path):
    small(project)
    project.ok("dvc", "repro")
    commit(project)
    clone = project.clone(tmp_path / "clone")
    for key in ("user.name", "user.email"):
        clone.ok("git", "config", key, "test")
    clone.ok("dvc", "cache", "dir", "--local", str(project.folder / ".dvc/cache"))  # in place of a remote
    clone.ok("dvc", "checkout", "-q")
    lines, said = commands("Experiments"), {}
    assert len(lines) > 5
    for line in lines:
        said[line] = clone.ok("bash", "-c", line, OMP_WAIT_POLICY="PASSIVE")

    table = next(told for line, told in said.items() if line.startswith("dvc exp show"))
    assert "google" in table and "test.macro_f1" in table and max(map(len, table.splitlines())) <= 120
    while re.search("Queued|Running", status := clone.ok("dvc", "queue", "status")):
        time.sleep(1)
    assert status.count("Success") == 3, status
    assert "googlenet" in clone.ok("git", "branch")
