"""Jobs side by side on this machine, in clones that share the project's DVC cache."""

import os
import shutil
import subprocess
import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue

import psutil

from benchmark.project import DVC, clone, inputs, train_and_evaluate, with_python


def run(jobs: list[str], workers: int, folder: Path, lock: int) -> Generator[tuple[str, bool]]:
    """Run jobs, `workers` at a time, in clones under `folder`; each job and whether it succeeded, as they end.

    What a job tells goes to `<job>.log` in `folder`. Its processes hold the open file `lock`. They are ended when the
    iterator is closed or interrupted.
    """
    cache = subprocess.run([*DVC, "cache", "dir"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    clones = [folder / f"clones/{number}" for number in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        free = SimpleQueue()
        for place in pool.map(_prepared, clones, gpus(workers), [cache] * workers):
            free.put(place)
        running = {pool.submit(_run, job, free, folder / f"{job}.log", lock): job for job in jobs}
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            _end(list(running))
            raise


def gpus(workers: int) -> list[str | None]:
    """The CUDA_VISIBLE_DEVICES of each worker: a GPU of its own as far as they go; None where there is none."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        from torch.cuda import device_count  # three seconds

        visible = ",".join(map(str, range(device_count())))
    names = visible.split(",")
    return [names[worker % len(names)] or None for worker in range(workers)]


def _prepared(folder: Path, gpu: str | None, cache: str) -> tuple[Path, dict[str, str]]:
    """A clone with the data that jobs read, and the environment to run them in."""
    clone(Path.cwd(), folder)
    environment = with_python() | {"DVC_SITE_CACHE_DIR": str(folder / ".dvc/tmp/site")}  # goes with the clone
    if gpu:
        environment["CUDA_VISIBLE_DEVICES"] = gpu
    if (own := Path(".dvc/config.local")).exists():
        shutil.copy(own, folder / own)
    for command in (["cache", "dir", "-q", "--local", cache], ["checkout", "-q", *inputs()]):
        subprocess.run([*DVC, *command], cwd=folder, env=environment, check=True)
    return folder, environment


def _run(job: str, free: SimpleQueue, log: Path, lock: int) -> bool:
    folder, environment = place = free.get()
    command = [*DVC, "repro", "--allow-missing", *train_and_evaluate(job)]  # what it does not read can be missing
    with log.open("w") as file:
        done = subprocess.run(command, cwd=folder, env=environment, stdout=file, stderr=file, pass_fds=[lock])
    shutil.rmtree(folder / "data/benchmark", ignore_errors=True)  # it is in the cache
    free.put(place)
    return done.returncode == 0


def _end(running: list[Future]) -> None:
    """End the processes that jobs run in, at once: what is finished is in the cache, and trainings have checkpoints."""
    while not all(future.done() for future in running):
        for process in psutil.Process().children(recursive=True):
            process.kill()
        time.sleep(0.1)
