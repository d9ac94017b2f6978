"""What goes to other machines, and what comes from them."""

import io
import subprocess
import zipfile
from pathlib import Path

import pytest

from stages.base.errors import InputError
from stages.benchmark.jobs import ray_cluster, snapshot


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a changed, a removed, an added, an ignored and an untracked file, and one in the stash."""
    monkeypatch.chdir(tmp_path)
    for key in ("NAME", "EMAIL"):
        monkeypatch.setenv(f"GIT_AUTHOR_{key}", "test")
        monkeypatch.setenv(f"GIT_COMMITTER_{key}", "test")
    git("init", "-q", "-b", "main", "work")
    monkeypatch.chdir(tmp_path / "work")
    files = {".gitignore": "ignored", "changed": "before", "removed": "before", "kept": "before"}
    for name, content in files.items():
        Path(name).write_text(content)
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    Path("kept").write_text("only in the stash")
    git("stash", "push", "-q")
    Path("changed").write_text("after")
    Path("removed").unlink()
    for name in ("added", "ignored", "token.txt"):
        Path(name).write_text("secret" if name != "added" else "new")
    git("add", "added")
    return tmp_path


def test_a_snapshot_has_tracked_files_and_names_the_others(repository: Path, capsys: pytest.CaptureFixture):
    status, references = git("status", "--short"), git("for-each-ref")
    (repository / "bundle").write_bytes(snapshot.bundle())
    assert capsys.readouterr().err == "left out of the snapshot: token.txt; `git add` the files that jobs need\n"
    assert (git("status", "--short"), git("for-each-ref")) == (status, references)
    clone = ("-C", "../clone")
    git("init", "-q", "../clone")
    git(*clone, "fetch", "-q", "--update-head-ok", "../bundle", "+refs/*:refs/*")
    git(*clone, "checkout", "-q", "--detach", snapshot.SNAPSHOT)
    files = {path.name: path.read_text() for path in Path("../clone").iterdir() if path.is_file()}
    assert files == {".gitignore": "ignored", "changed": "after", "kept": "before", "added": "new"}
    assert "stash" not in git(*clone, "for-each-ref")
    named = git(*clone, "cat-file", "--batch-check", "--batch-all-objects").splitlines()
    contents = [git(*clone, "cat-file", "blob", line.split()[0]) for line in named if " blob " in line]
    assert sorted(contents) == ["after", "before", "ignored", "new"]


def packed(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    "results",
    [b"", b"no archive", packed(a=b"x" * 100)[:-30], packed(a=bytes(2000)), packed(**dict.fromkeys("abcd", b""))],
    ids=["empty", "no archive", "cut off", "too large", "too many files"],  # an archive's bytes contain the time
)
def test_results_that_cannot_be_unpacked_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, results: bytes):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ray_cluster, "MAX_BYTES", 1000)
    monkeypatch.setattr(ray_cluster, "MAX_FILES", 3)
    with pytest.raises(InputError, match="cnn5-0-0: its results cannot be unpacked"):
        ray_cluster.store("cnn5-0-0", results, {}, {})
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
