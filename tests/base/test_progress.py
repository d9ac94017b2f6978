"""Progress in a log: plain lines, at intervals."""

import sys
import time

import pytest
from tqdm import tqdm

from stages.base import progress as module
from stages.base.progress import progress
from stages.benchmark.jobs.trials import PROGRESS


def test_a_log_gets_a_line_at_intervals_and_no_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setattr(module, "SECONDS", 0.1)
    for _ in progress(range(25), "faces", unit=" faces"):
        time.sleep(0.02)
        tqdm.write("something else", file=sys.stderr)
    lines = capsys.readouterr().err.splitlines(keepends=True)
    told = [line for line in lines if line.startswith("faces: ")]
    assert 2 <= len(told) < 25 and all("/25 [" in line and line.isascii() for line in told)
    assert len(lines) == 25 + len(told) and not any("\r" in line or line == "\n" for line in lines)


def test_a_series_of_trials_passes_the_lines_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setattr(module, "SECONDS", 0)
    for _ in progress(range(3), desc="draw drawn-ck48", unit="face"):
        time.sleep(0.01)
    lines = [*capsys.readouterr().err.splitlines(), "epoch 1/2, step 3/4: loss 1.000, 5.0 images/s, 1 min left"]
    assert len(lines) > 1 and all(PROGRESS.match(line) for line in lines)
    assert not any(map(PROGRESS.match, ("ERROR: train.lr: 9 is too high", "compiled in the first step, 2 s", "")))


def test_what_is_over_soon_says_nothing_in_a_log(capsys: pytest.CaptureFixture):
    for number in progress(range(3), "faces", leave=True):
        tqdm.write(f"{number} is written", file=sys.stderr)
    with progress(total=10, unit="B", unit_scale=True, delay=2) as bar:
        bar.update(10)
    assert capsys.readouterr() == ("", "0 is written\n1 is written\n2 is written\n")


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for _ in progress(range(3), "faces"):
        pass
    assert "\rfaces: 100%" in capsys.readouterr().err
