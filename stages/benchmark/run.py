"""Run the benchmark: bring every run, the comparison and its pages up to date.

    python -m stages.benchmark.run                  # one job at a time
    python -m stages.benchmark.run --workers 2      # two at a time; on several GPUs, one on each
    python -m stages.benchmark.run --ray auto       # on a Ray cluster
    python -m stages.benchmark.run review           # what one stage of the benchmark needs, and no more

The results are those of `dvc repro` in stages/benchmark, however many jobs run at a time.
"""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from stages.base.errors import InputError, Stopped, guard
from stages.benchmark.jobs import dvc_process, local_workers, ray_cluster
from stages.benchmark.jobs.lock import locked
from stages.params.split import Split

LOGS = Path(".dvc/tmp/benchmark")
STAGES = ("compare", "report", "review", "cross_dataset")
MINUTE = 60


def main() -> None:
    """Run the jobs that are not up to date, then the other stages."""
    parser = argparse.ArgumentParser(prog="python -m stages.benchmark.run", description=__doc__.split("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="STAGE", help=f"any of {', '.join(STAGES)}; default: all")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, default=1, metavar="N", help="jobs at a time on this machine")
    where.add_argument("--ray", metavar="ADDRESS", help="address of a Ray cluster to run jobs on; auto finds one")
    options = parser.parse_args()
    if options.workers < 1:
        raise InputError(f"--workers: {options.workers} is too few; give 1 or more")
    if unknown := [target for target in options.targets if target not in STAGES]:
        raise InputError(f"{unknown[0]}: not a stage of the benchmark; choose from {', '.join(STAGES)}")
    targets = possible(options.targets, Split.load())
    if options.ray:
        ray_cluster.connect(options.ray)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # after Ray, which installs a handler of its own
    try:
        with locked(LOGS / "lock", "another run of the benchmark, or a job that a killed run has left,") as environment:
            run(targets, options.workers, bool(options.ray), environment)
    except KeyboardInterrupt:
        raise Stopped("stopped; finished jobs are kept, and the next run continues with the rest") from None


def run(targets: list[str], workers: int, on_cluster: bool, environment: dict[str, str]) -> None:
    """Run the benchmark's stages, or `targets` and what they depend on; exit with code 1 if one fails."""
    dvc_process.run("repro", "augment", environment=environment)
    dvc_process.run(*dvc_process.BENCHMARK, "repro", "-q", "check", environment=environment)
    jobs = dvc_process.outdated_jobs(targets)
    if on_cluster:
        results = ray_cluster.run(jobs, LOGS, environment)
    else:
        results = local_workers.run(jobs, min(workers, len(jobs)), LOGS, environment)
    if any_failed(results, len(jobs)):
        sys.exit(1)
    if not targets or "cross_dataset" in targets:
        dvc_process.run("repro", "evaluate", environment=environment)  # the model that is trained on all data sets
    # Speeds are measured now, while nothing else runs.
    dvc_process.run(*dvc_process.BENCHMARK, "repro", *targets, environment=environment)


def possible(targets: list[str], split: Split) -> list[str]:
    """Return the stages to run, without those that the split rules out; none means all of them.

    Raises:
        InputError: one of `targets` is ruled out.
    """
    reasons = {}
    if split.protocol == "cross_validation":
        reasons["review"] = "under split.protocol cross_validation every face is a test face"
    if split.test_on:
        only_tested = f"under split.test_on no face of {split.test_on} is trained on"
        reasons |= {"cross_dataset": only_tested, "report": only_tested}  # the page shows both comparisons
    others = [stage for stage in STAGES if stage not in reasons]
    if refused := [target for target in targets if target in reasons]:
        raise InputError(f"{refused[0]}: {reasons[refused[0]]}; choose from {', '.join(others)}")
    if targets or not reasons:
        return targets
    for stage, reason in reasons.items():
        print(f"{stage} is left out: {reason}")
    return others


def any_failed(results: Iterator[tuple[str, bool] | None], count: int) -> bool:
    """Report the progress of `count` jobs; return whether one of them failed."""
    failed, ended, last = False, 0, time.monotonic()
    with closing(results), tqdm(total=count, unit="job", disable=None) as bar:  # type: ignore[type-var]
        for result in results:
            if result is None:
                bar.refresh()
                if bar.disable and time.monotonic() - last > MINUTE:
                    print(f"{ended} of {count} jobs have ended", flush=True)
                    last = time.monotonic()
                continue
            job, succeeded = result
            ended += 1
            bar.update()
            if not succeeded:
                failed = True
                tqdm.write(f"ERROR: {job} failed; see {LOGS / job}.log", file=sys.stderr)
            elif bar.disable:
                print(f"{job} ({ended} of {count})", flush=True)
    return failed


if __name__ == "__main__":
    guard(main)
