"""How a stage script ends."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.project import ROOT
from stages.base.errors import InputError, Stopped, guard


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("wrong"), "ERROR: wrong", ""),  # sys.exit prints a text and ends with exit code 1
        (InputError("a\nb\udcff\x1b[2J"), "ERROR: a\\nb\\udcff\\x1b[2J", ""),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "data/x"), "ERROR: data/x: No space left on device", ""),
        (PermissionError(errno.EACCES, "Permission denied", "a\nb"), "ERROR: a\\nb: Permission denied", ""),
        (OSError("3 requested and 2 written"), "ERROR: 3 requested and 2 written", ""),
        (Stopped("stopped in epoch 3"), 130, "stopped in epoch 3\n"),
        (KeyboardInterrupt(), 130, "stopped\n"),
    ],
)
def test_an_expected_end_is_one_line(
    error: BaseException, code: int | str, line: str, capsys: pytest.CaptureFixture
) -> None:
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as end:
        guard(main)
    assert end.value.code == code and capsys.readouterr().err == line


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        guard(lambda: print(1 // 0))


def test_ctrl_c_while_a_stage_imports_ends_it_without_a_traceback(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "stages.train"], cwd=tmp_path, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE,
    )  # fmt: skip
    next(line for line in process.stderr if "numpy" in line)  # torch, which imports it, takes a second more
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT  # which shells call 130
    assert all(line.startswith("import time:") for line in errors.splitlines())


SLOW_TO_END = """
import time
from pathlib import Path
from stages.base.atomic import atomic_output
from stages.base.errors import guard

def main():
    with atomic_output(Path("out")) as folder:
        folder.mkdir()
        try:
            print("started", flush=True)
            time.sleep(60)
        finally:
            time.sleep(1)

guard(main)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_stage_prints_one_line_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_TO_END], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.readline()
    process.send_signal(number)
    try:
        process.wait(0.3)
    except subprocess.TimeoutExpired:
        process.send_signal(number)  # a second one, as impatient people and DVC send it
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "stopped\n") and not list(tmp_path.iterdir())
