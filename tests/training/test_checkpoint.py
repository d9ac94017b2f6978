"""A checkpoint is a convenience: one that cannot be used or written is reported, and the training goes on."""

import hashlib
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from helpers.generated import MANY
from stages.training.checkpoint import Checkpoint

STATE = {"step": 3, "weights": torch.arange(1000.0)}


def saved(facts: dict | None = None) -> Path:
    """Save a checkpoint; its path."""
    checkpoint = Checkpoint(facts or {"test": 0})
    checkpoint.save(STATE)
    checkpoint.wait()
    return checkpoint.path


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def seal(path: Path, content: bytes) -> bytes:
    """`content` with the digest that a checkpoint with it has."""
    return hashlib.sha256(path.name.encode() + content).digest() + content


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a bit of the digest": lambda path: flip(path, 3),
    "a bit of a number": lambda path: flip(path, 2000),
    "the last bit": lambda path: flip(path, -1),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "empty": lambda path: path.write_bytes(b""),
    "overwritten": lambda path: path.write_bytes(b"PK\3\4" + bytes(5000)),
    "without a digest": lambda path: torch.save(STATE, path),
    "nothing of torch's, with a right digest": lambda path: path.write_bytes(seal(path, bytes(5000))),
    "of another training": lambda path: path.write_bytes(saved({"test": 1}).read_bytes()),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_checkpoint_is_reported_and_not_used(name: str, capsys: pytest.CaptureFixture):
    path = saved()
    assert Checkpoint({"test": 0}).load()["step"] == 3
    DAMAGES[name](path)
    assert Checkpoint({"test": 0}).load() is None
    assert (
        capsys.readouterr().err
        == f"{path}: the checkpoint is damaged, or of another training; the training starts anew\n"
    )
    saved()
    assert torch.equal(Checkpoint({"test": 0}).load()["weights"], STATE["weights"])


def test_another_computation_starts_anew_and_keeps_the_checkpoint(capsys: pytest.CaptureFixture):
    half, whole = (Checkpoint({"test": 0}, ["cpu", precision]) for precision in ("float16", "float32"))
    half.save(STATE)
    half.wait()
    assert whole.load() is None
    assert capsys.readouterr().err == "no checkpoint for cpu-float32, only for cpu-float16: the training starts anew\n"
    whole.save(STATE)
    whole.remove()
    assert half.load()["step"] == 3 and capsys.readouterr().err == ""


def test_checkpoints_that_were_not_continued_for_a_month_are_deleted():
    old, kept = saved({"test": 1}), saved({"test": 2})
    for path, days in ((old, 31), (Path(f"{old}.lock"), 31), (kept, 29)):
        os.utime(path, (time.time() - days * 24 * 3600,) * 2)
    current = saved({"test": 3})
    assert not old.exists() and not Path(f"{old}.lock").exists() and kept.exists() and current.exists()


def test_a_folder_in_its_place_is_reported(capsys: pytest.CaptureFixture):
    path = Checkpoint({"test": 0}).path
    (path / "in").mkdir(parents=True)
    checkpoint = Checkpoint({"test": 0})
    assert checkpoint.load() is None
    checkpoint.save(STATE)
    checkpoint.remove()
    assert capsys.readouterr().err == f"no checkpoint ({path}: Is a directory): the training starts anew\n"


@contextmanager
def room_for(count: int) -> Iterator[None]:
    """Let no file grow beyond `count` bytes, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0, 10, 2000, 4800])
def test_without_room_it_is_said_once_and_the_last_checkpoint_stays(room: int, capsys: pytest.CaptureFixture):
    path, checkpoint = saved(), Checkpoint({"test": 0})
    with room_for(room):
        for step in (4, 5):
            checkpoint.save(STATE | {"step": step})
        checkpoint.wait()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"no checkpoint ({path}: File too large): the training goes on")
    assert checkpoint.load()["step"] == 3 and not list(path.parent.glob(".*"))
    checkpoint.save(STATE | {"step": 6})
    checkpoint.wait()
    assert checkpoint.load()["step"] == 6


def test_without_a_cache_folder_it_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    checkpoint = Checkpoint({"test": 0})
    assert checkpoint.load() is None
    checkpoint.save(STATE)
    checkpoint.remove()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("no checkpoint (") and str(tmp_path / "file") in line and "Not a directory" in line


CHANGES = some.lists(
    some.tuples(some.floats(0, 1, exclude_max=True), some.binary(max_size=40), some.integers(0, 40)),
    min_size=1, max_size=3,
)  # fmt: skip


@pytest.fixture
def checkpoint() -> Checkpoint:
    checkpoint = Checkpoint({"test": 0})
    checkpoint.save(STATE)
    checkpoint.wait()
    return checkpoint


def check(changes: list[tuple[float, bytes, int]], sealed: bool, checkpoint: Checkpoint) -> None:
    """Change a checkpoint; `sealed`: as an attacker would, who corrects the digest."""
    content = whole = checkpoint.path.read_bytes()
    for position, inserted, removed in changes:
        start = int(position * len(content))
        content = content[:start] + inserted + content[start + removed :]
    checkpoint.path.write_bytes(seal(checkpoint.path, content[32:]) if sealed else content)
    loaded = checkpoint.load()
    checkpoint.path.write_bytes(whole)
    assert sealed or loaded is None or content == whole


@given(changes=CHANGES, sealed=some.booleans())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_bytes_are_noticed_or_do_no_harm(checkpoint: Checkpoint, changes: list, sealed: bool):
    check(changes, sealed, checkpoint)


@pytest.mark.slow
@given(changes=CHANGES, sealed=some.booleans())
@settings(max_examples=MANY, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_changed_bytes_are_noticed_or_do_no_harm(checkpoint: Checkpoint, changes: list, sealed: bool):
    check(changes, sealed, checkpoint)
