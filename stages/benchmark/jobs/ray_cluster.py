"""Jobs on a Ray cluster, each in a new clone; data travel through the DVC remote, results through Ray."""

import io
import logging
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from socket import create_connection
from typing import Any
from zipfile import ZipFile

from stages.base.atomic import atomic_output, remove
from stages.base.errors import InputError
from stages.base.paths import RunPaths
from stages.benchmark.jobs import dvc_process, remote_job, snapshot
from stages.params.benchmark import Benchmark
from stages.params.general import General

MAX_FILES, MAX_BYTES = 1000, 8 * 2**30  # of the results of a job, mostly its weights
DATA_STAGES = ["check", "merge", "split", "augment"]  # they write what jobs read


def connect(address: str) -> None:
    """Connect to the cluster at `address`, `auto` or `<host>:<port>`.

    Raises:
        InputError: Ray is not installed, there is no cluster, or no DVC remote that other machines may read faces from.
    """
    try:
        import ray
    except ImportError:
        raise InputError("--ray: Ray is not installed; pip install ray") from None
    default = subprocess.run([*dvc_process.DVC, "remote", "default", "--project"], capture_output=True, check=False)
    if default.returncode:
        raise InputError("--ray: machines get the data from a DVC remote; dvc remote add -d store <place>")
    if General.load().faces_remote == "here":
        raise InputError("params.yaml: faces_remote: other machines cannot read the remote 'here'; name a DVC remote")
    try:
        if address != "auto":  # Ray itself would retry for many minutes
            host, _, port = address.rpartition(":")
            create_connection((host, int(port)), timeout=10).close()
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"--ray: no cluster at {address}, which can be auto or <host>:<port>: {reason}") from None


def run(jobs: list[str], logs: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, bool] | None]:
    """Run jobs, as many at a time as the cluster has GPUs or, without GPUs, cores for.

    A job whose machine dies is run again on another one.

    Args:
        jobs: the jobs, named model-fold-seed.
        logs: folder for the output of each job, `<job>.log`.
        environment: environment variables for the DVC commands on this machine.

    Yields:
        Each job and whether it succeeded, in the order in which they end; None while none has ended.
    """
    if not jobs:
        return
    import ray

    threads = Benchmark.load().threads
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    needs: dict[str, Any] = {"num_gpus": 1} if any("GPU" in machine for machine in machines) else {"num_cpus": threads}
    if "num_cpus" in needs and all(machine.get("CPU", 0) < threads for machine in machines):
        raise InputError(f"params.yaml: benchmark.threads: no machine of the cluster has {threads} CPUs; lower it")
    dvc_process.run("push", *DATA_STAGES, environment=environment)
    ray.cloudpickle.register_pickle_by_value(remote_job)  # the machines do not have that file
    remote, bundle = ray.remote(max_retries=3, **needs)(remote_job.run), ray.put(snapshot.bundle())
    running = {
        remote.remote(bundle, DATA_STAGES, dvc_process.FOLDER, dvc_process.stages_of(job), str(folder(job))): job
        for job in jobs
    }
    try:
        while running:
            ended, _ = ray.wait(list(running), timeout=1)
            for reference in ended:
                job = running.pop(reference)
                try:
                    printed, results, recorded = ray.get(reference)
                except ray.exceptions.RayError as error:
                    printed, results, recorded = f"{error}\n", None, {}
                succeeded = False
                try:
                    succeeded = results is not None and store(job, results, recorded, environment)
                    if results is not None and not succeeded:
                        printed += "What it read has changed on this machine since; the next run repeats it.\n"
                except InputError as error:
                    printed += f"{error}\n"
                (logs / f"{job}.log").write_text(printed, encoding="utf-8")
                yield job, succeeded
            yield None
    finally:
        ray.shutdown()


def store(job: str, results: bytes, recorded: dict[str, Any], environment: Mapping[str, str]) -> bool:
    """Unpack a job's results and commit them to DVC; return whether the commit equals what the machine recorded.

    If it does not, the results are removed, so that the job counts as not run.

    Raises:
        InputError: the results cannot be unpacked.
    """
    with atomic_output(folder(job)) as temporary:
        _unpack(results, temporary, job)
    stages = dvc_process.stages_of(job)
    dvc_process.run(*dvc_process.BENCHMARK, "commit", "-q", "-f", *stages, environment=environment)
    if remote_job.recorded(Path(), dvc_process.FOLDER, stages) == recorded:
        return True
    remove(folder(job))
    return False


def _unpack(results: bytes, target: Path, job: str) -> None:
    """Unpack a job's zip file into a new folder; raise InputError if it is damaged or larger than that of any job."""
    try:
        with ZipFile(io.BytesIO(results)) as archive:
            members = archive.infolist()
            if len(members) > MAX_FILES or sum(member.file_size for member in members) > MAX_BYTES:
                raise ValueError(f"more than {MAX_FILES} files or {MAX_BYTES} bytes")
            archive.extractall(target)
    except OSError:
        raise
    except Exception as error:  # whatever zipfile meets
        raise InputError(f"{job}: its results cannot be unpacked: {error}") from None


def folder(job: str) -> Path:
    """Return the folder that a job writes."""
    model, fold, seed = job.rsplit("-", 2)
    return RunPaths.benchmark(model, int(fold), int(seed)).model.parent
