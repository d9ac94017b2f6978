"""An output is there whole or not at all, whatever happens while it is written."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from helpers.project import ROOT
from stages.base.atomic import atomic_output, remove
from stages.base.errors import InputError


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


def test_the_second_writer_is_told_that_the_first_runs(tmp_path: Path):
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from stages.base.atomic import atomic_output
with atomic_output(Path("out")) as file:
    file.write_text("first")
    print("started", flush=True)
    sys.stdin.readline()
"""
    first = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    first.stdout.readline()
    message = "out: another run is writing it now; wait until it has ended"
    with pytest.raises(InputError, match=message), atomic_output(tmp_path / "out"):
        raise AssertionError("both write")
    with atomic_output(tmp_path / "other") as file:
        file.write_text("another output is free")
    first.communicate("\n")
    assert first.returncode == 0 and (tmp_path / "out").read_text() == "first"
    with atomic_output(tmp_path / "out") as file:
        file.write_text("second")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out"]


def test_nothing_is_written_or_removed_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    collection = tmp_path / "collection"
    (collection / "ck48").mkdir(parents=True)
    (collection / "ck48/mine.zip").write_text("mine")
    (tmp_path / "work/data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    Path("data/archives").symlink_to(collection)
    message = "data/archives: is a link, and outputs are not written or removed through links"
    for name in ("ck48", "new", "new/deeper"):
        with pytest.raises(InputError, match=message), atomic_output(Path("data/archives") / name) as folder:
            folder.mkdir()
        with pytest.raises(InputError, match=message):
            remove(Path("data/archives") / name)
    assert [path.name for path in collection.rglob("*")] == ["ck48", "mine.zip"]
    with atomic_output(Path("data/archives")) as folder:  # the link itself is an output that is replaced
        folder.mkdir()
    assert not Path("data/archives").is_symlink() and (collection / "ck48/mine.zip").exists()
    Path("data/link").symlink_to(collection)
    remove(Path("data/link"))
    assert not Path("data/link").exists() and (collection / "ck48/mine.zip").exists()


@pytest.mark.parametrize("name", ["out", "folder/out"])
def test_an_error_of_the_system_names_the_output(tmp_path: Path, name: str):
    with pytest.raises(OSError) as error, atomic_output(tmp_path / name) as path:
        path.write_text("half")
        if name == "out":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # as a write to a full disk raises it
        (path / "file").write_text("not in a folder")
    assert error.value.filename == str(tmp_path / name) and not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_a_folder_without_permission_is_named():
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as temporary:  # other users cannot read tmp_path
        folder = Path(temporary)
        folder.chmod(0o555)
        if user == 0:
            os.seteuid(65534)  # root can write everywhere
        try:
            with pytest.raises(PermissionError) as error, atomic_output(folder / "out") as path:
                path.write_text("new")
        finally:
            os.seteuid(user)
            folder.chmod(0o700)
    assert error.value.filename == str(folder / "out")
