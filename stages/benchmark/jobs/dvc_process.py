"""DVC as processes that can be stopped, and what it knows of the benchmark's jobs.

A job trains and evaluates one model on one fold with one seed; DVC calls it model-fold-seed.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import psutil

PIPELINE = Path("stages/benchmark/dvc.yaml")
# It releases its lock while a stage's command runs, so that others can wait for it, and write their results in turn.
COMMAND = (sys.executable, "-m", "dvc", "--wait-for-lock")


def start(*arguments: str, environment: dict[str, str], **options: object) -> subprocess.Popen:
    """Start DVC, out of reach of the terminal's Ctrl-C: `stop` ends it. `options` are those of Popen."""
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}  # stages' `python` is this one
    environment = os.environ | path | environment
    return subprocess.Popen([*COMMAND, *arguments], env=environment, start_new_session=True, **options)


def stop(processes: Collection[subprocess.Popen]) -> None:
    """End what these DVC run, and wait for it, also where a shell ends before what it ran.

    They themselves then end; killed, they might leave half a lock file.
    """
    started, below = {process.pid for process in processes}, set()
    while any([process.poll() is None for process in processes]) or any(map(runs, below)):
        below |= {child for child in psutil.Process().children(recursive=True) if child.pid not in started}
        for child in below:
            with suppress(psutil.NoSuchProcess):
                child.terminate()
        time.sleep(0.1)


def runs(process: psutil.Process) -> bool:
    """Whether it still does; a zombie has ended, though nobody has asked yet by what."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def run(*arguments: str, **options: object) -> None:
    """Run DVC, which tells by itself what is wrong; then this ends with exit code 1."""
    process = start(*arguments, environment={}, **options)
    try:
        if process.wait():
            sys.exit(1)
    finally:
        stop([process])


def waiting() -> list[str]:
    """The jobs that are not up to date."""
    told = subprocess.run([*COMMAND, "status", "--json", PIPELINE], stdout=subprocess.PIPE)
    if told.returncode:
        sys.exit(1)
    stages = (name.removeprefix(f"{PIPELINE}:").partition("@") for name in json.loads(told.stdout))
    return list(dict.fromkeys(job for stage, _, job in stages if stage in ("train", "evaluate")))


def stages(job: str) -> list[str]:
    """The stages of a job."""
    return [f"{PIPELINE}:{stage}@{job}" for stage in ("train", "evaluate")]
