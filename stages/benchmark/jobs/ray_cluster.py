"""Jobs on a Ray cluster, each in a fresh clone; data goes through the DVC remote, results come through Ray."""

import io
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path
from socket import create_connection
from zipfile import ZipFile

from stages.base import params
from stages.base.atomic import atomic_output
from stages.base.errors import InputError
from stages.base.paths import RunPaths
from stages.benchmark.jobs import dvc_process, remote_job, snapshot


def connect(address: str) -> None:
    """Connect to the cluster. InputError without Ray, a cluster, or a DVC remote that all may have the faces from."""
    try:
        import ray
    except ImportError:
        raise InputError("--ray: Ray is not installed; pip install ray") from None
    if subprocess.run([*dvc_process.COMMAND, "remote", "default", "--project"], capture_output=True).returncode:
        raise InputError("--ray: machines get the data from a DVC remote; dvc remote add -d store <a place>")
    if params.load().faces_remote == "here":
        raise InputError("params.yaml: faces_remote: 'here' is out of other machines' reach; name a DVC remote")
    try:
        if address != "auto":  # Ray would try for many minutes
            host, _, port = address.rpartition(":")
            create_connection((host, port), timeout=10).close()
        ray.init(address, log_to_driver=False, logging_level="error")
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"--ray: no cluster at {address}, which can be auto or <host>:<port>: {reason}") from None


def run(jobs: list[str], logs: Path) -> Generator[tuple[str, bool]]:
    """Run jobs, as many at a time as the cluster has GPUs or else cores for; each and if it succeeded, as they end.

    What a job tells goes to `<job>.log` in `logs`. A job whose machine dies is run on another.
    """
    if not jobs:
        return
    import ray

    threads, machines = params.load().benchmark.threads, [node["Resources"] for node in ray.nodes() if node["Alive"]]
    one = {"num_gpus": 1} if any("GPU" in machine for machine in machines) else {"num_cpus": threads}
    if "num_cpus" in one and all(machine.get("CPU", 0) < threads for machine in machines):
        raise InputError(f"params.yaml: benchmark.threads: no machine of the cluster has {threads} CPUs; lower it")
    dvc_process.run("push", "merge", "split", "augment")  # what jobs read
    ray.cloudpickle.register_pickle_by_value(remote_job)  # the machines do not have that file
    there, repository = ray.remote(max_retries=3, **one)(remote_job.run), ray.put(snapshot.bundle())
    running = {there.remote(repository, dvc_process.stages(job), str(folder(job))): job for job in jobs}
    try:
        while running:
            (done,), _ = ray.wait(list(running))
            job = running.pop(done)
            try:
                told, packed, recorded = ray.get(done)
            except ray.exceptions.RayError as error:
                told, packed = f"{error}\n", None
            if packed is None:
                succeeded = False
            elif not (succeeded := take(job, packed, recorded)):
                told += "What it read has changed here meanwhile; the next run does it again.\n"
            (logs / f"{job}.log").write_text(told, encoding="utf-8")
            yield job, succeeded
    finally:
        ray.shutdown()


def take(job: str, packed: bytes, recorded: dict) -> bool:
    """Unpack and record what a job wrote, if that comes to what was `recorded` where it ran; whether it did."""
    with atomic_output(folder(job)) as beside, ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(beside)
    dvc_process.run("commit", "-q", "-f", *dvc_process.stages(job))
    if remote_job.recorded(Path(), dvc_process.stages(job)) == recorded:
        return True
    shutil.rmtree(folder(job))  # so that it counts as missing
    return False


def folder(job: str) -> Path:
    """Where a job writes."""
    model, fold, seed = job.rsplit("-", 2)
    return RunPaths.benchmark(model, int(fold), int(seed)).model.parent
