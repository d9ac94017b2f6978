"""DVC as a subprocess, for the main pipeline and for the benchmark's own.

The benchmark is a DVC project of its own inside this one (`stages/benchmark/.dvc`), so that DVC's commands in the root
of the repository do not read its many stages. A job trains and evaluates one model on one fold with one seed; DVC
calls its stages `train@model-fold-seed` and `evaluate@model-fold-seed`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from stages.benchmark.jobs.lock import is_running

FOLDER = "stages/benchmark"
# DVC releases its lock while the command of a stage runs; other DVC processes wait for it to write their results.
DVC = (sys.executable, "-m", "dvc", "--wait-for-lock")
BENCHMARK = ("--cd", FOLDER)


def start(*arguments: str, environment: Mapping[str, str], **options: Any) -> subprocess.Popen:
    """Start DVC in a session of its own, so that Ctrl-C in the terminal does not reach it; `stop` ends it.

    Args:
        *arguments: the DVC command; `*BENCHMARK` in front of it selects the benchmark's pipeline.
        environment: variables in addition to those of this process.
        **options: options of subprocess.Popen.
    """
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}  # stages run this Python
    return subprocess.Popen(
        [*DVC, *arguments], env={**os.environ, **path, **environment}, start_new_session=True, **options
    )


def stop(processes: Collection[subprocess.Popen]) -> None:
    """End the stages that these DVC processes run, and wait until these and the DVC processes have ended.

    DVC itself is not killed, since it could be writing its lock file; it ends when its stage does.
    """
    started = {process.pid for process in processes}
    children: set[psutil.Process] = set()
    while None in [process.poll() for process in processes] or any(map(is_running, children)):
        children |= {child for child in psutil.Process().children(recursive=True) if child.pid not in started}
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.terminate()
        time.sleep(0.1)


def run(*arguments: str, environment: Mapping[str, str]) -> None:
    """Run DVC and wait for it; if it fails, it has printed why, and this process ends with exit code 1."""
    process = start(*arguments, environment=environment)
    try:
        if process.wait():
            sys.exit(1)
    finally:
        stop([process])


def outdated_jobs(targets: Collection[str]) -> list[str]:
    """Return the jobs that are not up to date and that the targets depend on, or all if there is no target."""
    command = [*DVC, *BENCHMARK, "status", "--json", *(["--with-deps", *targets] if targets else [])]
    status = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if status.returncode:
        sys.exit(1)
    stages = (name.rpartition(":")[2].partition("@") for name in json.loads(status.stdout))
    return list(dict.fromkeys(job for stage, _, job in stages if stage in ("train", "evaluate")))


def stages_of(job: str) -> list[str]:
    """Return the DVC stages of a job."""
    return [f"{stage}@{job}" for stage in ("train", "evaluate")]
