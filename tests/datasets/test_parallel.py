"""The worker processes of merge: they end with it, and Ctrl-C is one line."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from helpers.project import ENVIRONMENT, ROOT

CODE = """
import time
from stages.base.errors import guard
from stages.datasets.parallel import prepare_all
from stages.datasets.picture import Rejected

def items():
    while True:
        yield Rejected("file", "reason")

def main():
    for number, _ in enumerate(prepare_all(items(), 48, 1)):
        if number == 2000:
            print("started", flush=True)
            time.sleep(60)

guard(main)
"""


def start(code: str = CODE) -> tuple[subprocess.Popen, list[psutil.Process]]:
    """A process that waits while its workers have nothing to do, and these."""
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=ENVIRONMENT | {"LOKY_MAX_CPU_COUNT": "2"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdout.readline() == "started\n"
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers
    return process, workers


def ended(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=20)[1]


def test_workers_end_with_a_killed_parent():
    process, workers = start()
    process.kill()
    process.wait()
    assert ended(workers)


def test_a_killed_worker_is_one_line():
    code = CODE.replace("time.sleep(60)", "continue")  # it goes on for ever
    process, workers = start(code)
    next(worker for worker in workers if "popen_loky_posix" in " ".join(worker.cmdline())).kill()
    errors = process.stderr.read()
    assert process.wait(60) == 1 and errors.startswith("ERROR: a worker process was killed") and errors.count("\n") == 1
    assert ended(workers)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_stage_prints_one_line_and_leaves_no_worker(number: int):
    process, workers = start()
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as the terminal does, to the workers too
    else:
        process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "stopped\n")
    assert ended(workers)


def test_ctrl_c_while_workers_start_is_one_line():
    code = CODE.replace("number == 2000", "False").replace(
        'yield Rejected("file", "reason")', "time.sleep(0.2); print(1, flush=True); yield Rejected('file', 'reason')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=ENVIRONMENT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    while not psutil.Process(process.pid).children():  # the first of them is joblib's own
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    process.stdout.close()
    errors = process.stderr.read()
    assert (process.wait(60), errors) == (130, "stopped\n")
