"""Bring the benchmark up to date as `dvc repro benchmark/dvc.yaml` does, with jobs side by side → the same hashes."""

import argparse
import fcntl
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tqdm import tqdm

from benchmark import cluster, project, workers
from stages.base.errors import InputError, guard

FOLDER = Path(".dvc/tmp/benchmark")  # on the file system of the data, mostly, where a checkout can be a link


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmark.run", description=__doc__)
    where = options.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, default=1, metavar="N", help="jobs at a time on this machine")
    where.add_argument("--ray", metavar="ADDRESS", help="run them on this Ray cluster, auto: the one at hand")
    given = options.parse_args()
    if given.workers < 1:
        raise InputError(f"--workers: {given.workers} is too few; give 1 or more")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with alone() as lock:
        dvc("repro", "augment")
        jobs, failed = project.waiting(), []
        if jobs:
            with snapshot():
                if given.ray:
                    outcomes = cluster.run(jobs, given.ray, FOLDER)
                else:
                    outcomes = workers.run(jobs, min(given.workers, len(jobs)), FOLDER, lock)
                failed = tell(outcomes, len(jobs))
        done = [stage for job in jobs if job not in failed for stage in project.train_and_evaluate(job)]
        if done or not failed:
            dvc("repro", *["--pull"] * bool(given.ray), *(done if failed else [project.PIPELINE]))
    if failed:
        sys.exit(1)


@contextmanager
def alone() -> Iterator[int]:
    """Keep other runs out of `FOLDER`; the file whose holders do so, since jobs may outlive a run that is killed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError("another run of the benchmark, or a job that it left, is at work here") from None
        yield file.fileno()


@contextmanager
def snapshot() -> Iterator[None]:
    """What clones are made from, and their removal."""
    shutil.rmtree(FOLDER / "clones", ignore_errors=True)  # of a run that was killed
    project.snapshot()
    try:
        yield
    finally:
        shutil.rmtree(FOLDER / "clones", ignore_errors=True)
        project.git("update-ref", "-d", project.SNAPSHOT)


def tell(outcomes: Generator[tuple[str, bool]], count: int) -> list[str]:
    """Show how far jobs are; those that failed."""
    failed = []
    with closing(outcomes), tqdm(total=count, unit="job", disable=None) as bar:
        for number, (job, succeeded) in enumerate(outcomes, 1):
            bar.update()
            if not succeeded:
                failed.append(job)
                tqdm.write(f"{job} failed: {FOLDER / job}.log tells why", file=sys.stderr)
            elif bar.disable:
                print(f"{job} ({number} of {count})", flush=True)
    return failed


def dvc(*arguments: str) -> None:
    """Run DVC here; it tells what is wrong itself."""
    if subprocess.run([*project.DVC, *arguments], env=project.with_python()).returncode:
        sys.exit(1)


if __name__ == "__main__":
    try:
        guard(main)
    except KeyboardInterrupt:
        sys.exit("stopped; what is finished is kept, and the next run goes on with the rest")
