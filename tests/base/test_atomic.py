"""An output is there whole or not at all, whatever happens while it is written."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.project import ROOT
from stages.base.atomic import atomic_output


def test_a_file_and_a_folder_appear_at_the_end(tmp_path: Path):
    with atomic_output(tmp_path / "deep" / "file.txt") as path:
        path.write_text("new")
        assert not (tmp_path / "deep" / "file.txt").exists()
    assert (tmp_path / "deep" / "file.txt").read_text() == "new"
    for content in ("first", "second"):
        with atomic_output(tmp_path / "folder") as path:
            path.mkdir()
            (path / content).write_text(content)
    assert [p.name for p in (tmp_path / "folder").iterdir()] == ["second"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "folder"]


def test_an_error_leaves_what_was_there(tmp_path: Path):
    (tmp_path / "file.txt").write_text("old")
    with pytest.raises(RuntimeError), atomic_output(tmp_path / "file.txt") as path:
        path.write_text("half")
        raise RuntimeError
    assert (tmp_path / "file.txt").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_killed_writer_leaves_no_output_and_the_next_one_succeeds(tmp_path: Path):
    writer = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from stages.base.atomic import atomic_output
with atomic_output(Path({str(tmp_path / "out")!r})) as folder:
    folder.mkdir()
    (folder / "half").write_text("half")
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", writer])
    try:
        for _ in range(600):
            if (tmp_path / ".out.part" / "half").exists():
                break
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.lock", ".out.part"]
    with atomic_output(tmp_path / "out") as folder:
        folder.mkdir()
        (folder / "all").write_text("all")
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "all"]
