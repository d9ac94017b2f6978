"""Jobs side by side on this machine, in this working tree."""

import os
import time
from collections.abc import Generator
from pathlib import Path
from typing import TextIO

from stages.benchmark.jobs import dvc_process

POLITE = {"OMP_WAIT_POLICY": "PASSIVE"}  # threads that wait leave the cores to those that work


def run(jobs: list[str], workers: int, logs: Path, lock: TextIO) -> Generator[tuple[str, bool]]:
    """Run jobs, `workers` at a time; each job and whether it succeeded, as they end.

    What a job tells goes to `<job>.log` in `logs`. What it runs holds `lock` open. Jobs are stopped when the generator
    is closed or interrupted.
    """
    left, free, running = list(jobs), gpus(workers), {}
    try:
        while left or running:
            while left and free:
                job, gpu = left.pop(0), free.pop(0)
                command = "repro", "--single-item", *dvc_process.stages(job)
                with (logs / f"{job}.log").open("w") as log:
                    process = dvc_process.start(*command, environment=POLITE | gpu, stdin=lock, stdout=log, stderr=log)
                running[process] = job, gpu
            time.sleep(0.1)
            for process in [process for process in running if process.poll() is not None]:
                job, gpu = running.pop(process)
                free.append(gpu)
                yield job, process.returncode == 0
    finally:
        dvc_process.stop(running)


def gpus(workers: int) -> list[dict[str, str]]:
    """The environment that gives each worker a GPU of its own, as far as they go."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        from torch.cuda import device_count  # three seconds

        visible = ",".join(map(str, range(device_count())))
    names = visible.split(",")
    return [{"CUDA_VISIBLE_DEVICES": names[worker % len(names)]} for worker in range(workers)]
