"""Bring the benchmark up to date as `dvc repro stages/benchmark/dvc.yaml` does, with jobs side by side → the same hashes."""

import argparse
import signal
import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from stages.base.errors import InputError, guard
from stages.benchmark.jobs import dvc_process, local_workers, ray_cluster
from stages.benchmark.jobs.lock import alone

FOLDER = Path(".dvc/tmp/benchmark")


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m stages.benchmark.run", description=__doc__)
    where = options.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, default=1, metavar="N", help="jobs at a time on this machine")
    where.add_argument("--ray", metavar="ADDRESS", help="run them on this Ray cluster; auto: the one at hand")
    given = options.parse_args()
    if given.workers < 1:
        raise InputError(f"--workers: {given.workers} is too few; give 1 or more")
    if given.ray:
        ray_cluster.connect(given.ray)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # after Ray, which has one of its own
    with alone(FOLDER / "lock", "another run of the benchmark, or jobs that one left when it was killed,") as lock:
        dvc_process.run("repro", "augment", stdin=lock)
        jobs = dvc_process.waiting()
        if given.ray:
            failed = tell(ray_cluster.run(jobs, FOLDER), len(jobs))
        else:
            failed = tell(local_workers.run(jobs, min(given.workers, len(jobs)), FOLDER, lock), len(jobs))
        if failed:
            sys.exit(1)
        dvc_process.run(
            "repro", str(dvc_process.PIPELINE), stdin=lock
        )  # speeds are measured now that nothing else runs


def tell(outcomes: Generator[tuple[str, bool]], count: int) -> bool:
    """Show how far `count` jobs are; whether any failed."""
    failed = False
    with closing(outcomes), tqdm(total=count, unit="job", disable=None) as bar:
        for number, (job, succeeded) in enumerate(outcomes, 1):
            bar.update()
            if not succeeded:
                failed = True
                tqdm.write(f"ERROR: {job} failed; {FOLDER / job}.log tells why", file=sys.stderr)
            elif bar.disable:
                print(f"{job} ({number} of {count})", flush=True)
    return failed


if __name__ == "__main__":
    try:
        guard(main)
    except KeyboardInterrupt:
        sys.exit("stopped; what is finished is kept, and the next run goes on with the rest")
