"""Jobs side by side on this machine, in this working tree."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from stages.benchmark.jobs import dvc_process

# Idle threads leave the cores to the threads of other jobs.
PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE"}


def run(jobs: list[str], workers: int, logs: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, bool] | None]:
    """Run jobs, `workers` at a time. They are stopped if the generator is closed or interrupted.

    Args:
        jobs: the jobs, named model-fold-seed.
        workers: number of jobs at a time.
        logs: folder for the output of each job, `<job>.log`.
        environment: environment variables for all jobs.

    Yields:
        Each job and whether it succeeded, in the order in which they end; None while none has ended.
    """
    waiting, free = list(jobs), gpus(workers)
    running: dict[subprocess.Popen, tuple[str, dict[str, str]]] = {}
    try:
        while waiting or running:
            while waiting and free:
                job, gpu = waiting.pop(0), free.pop(0)
                command = (*dvc_process.BENCHMARK, "repro", "--single-item", *dvc_process.stages_of(job))
                with (logs / f"{job}.log").open("w") as log:
                    process = dvc_process.start(
                        *command,
                        environment={**PASSIVE, **environment, **gpu},
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                    )
                running[process] = job, gpu
            time.sleep(0.1)
            for process in [process for process in running if process.poll() is not None]:
                job, gpu = running.pop(process)
                free.append(gpu)
                yield job, process.returncode == 0
            yield None
    finally:
        dvc_process.stop(running)


def gpus(workers: int) -> list[dict[str, str]]:
    """Return the environment variables that give each worker a GPU; workers share GPUs if there are too few."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        from torch.cuda import device_count  # slow to import

        visible = ",".join(map(str, range(device_count())))
    names = visible.split(",")
    return [{"CUDA_VISIBLE_DEVICES": names[worker % len(names)]} for worker in range(workers)]
