"""Jobs on the machines of a Ray cluster, each in a fresh clone; data and results go through the DVC remote."""

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark import project
from benchmark.project import clone, train_and_evaluate, with_python
from stages.base import params
from stages.base.errors import InputError


def run(jobs: list[str], address: str, folder: Path) -> Generator[tuple[str, bool]]:
    """Run jobs, as many at a time as the cluster at `address` has GPUs or else cores for.

    Yields each job and whether it succeeded, as they end; what it told goes to `<job>.log` in `folder`. A job whose
    machine dies is run on another. Raises InputError without Ray, a cluster, or a default DVC remote,
    and where faces stay here.
    """
    try:
        import ray
    except ImportError:
        raise InputError("--ray: Ray is not installed; pip install ray") from None
    command = [*project.DVC, "remote", "default", "--project"]
    if subprocess.run(command, capture_output=True).returncode:
        raise InputError("--ray: machines share data through a DVC remote; dvc remote add -d store <a place>")
    if params.load().faces_remote == "here":
        raise InputError("--ray: faces_remote is here, where other machines cannot get them; name a DVC remote")
    if subprocess.run([*project.DVC, "push", "-q", *project.inputs()]).returncode:
        raise InputError("--ray: the data could not be pushed to the DVC remote, as said above")
    try:
        ray.init(address, log_to_driver=False, logging_level="error")
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(f"--ray: no cluster at {address}: {' '.join(str(error).split())[:200]}") from None
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the machines do not have this file
    ray.cloudpickle.register_pickle_by_value(project)
    one = {"num_gpus": 1} if ray.cluster_resources().get("GPU") else {"num_cpus": params.load().benchmark.threads}
    job_there = ray.remote(max_retries=3, **one)(_run)
    bundle = ray.put(project.bundle())
    running = {job_there.remote(bundle, job): job for job in jobs}
    try:
        while running:
            (done,), _ = ray.wait(list(running))
            job = running.pop(done)
            try:
                succeeded, told = ray.get(done)
            except ray.exceptions.RayError as error:
                succeeded, told = False, str(error)
            (folder / f"{job}.log").write_text(told)
            yield job, succeeded
    finally:
        for reference in running:
            ray.cancel(reference)
        ray.wait(list(running), num_returns=len(running), timeout=10)
        ray.shutdown()


def _run(bundle: bytes, job: str) -> tuple[bool, str]:
    """Run a job on the machine this is called on; whether it succeeded, and what it told."""
    with TemporaryDirectory(prefix="benchmark-") as folder:
        packed, repository = Path(folder) / "bundle", Path(folder) / "clone"
        packed.write_bytes(bundle)
        clone(packed, repository)
        packed.unlink()
        environment = with_python() | {"DVC_SITE_CACHE_DIR": f"{folder}/site"}
        told = ""
        stages = train_and_evaluate(job)
        for command in (["repro", "--pull", "--allow-missing", *stages], ["push", "--run-cache", *stages]):
            done = subprocess.run(
                [sys.executable, "-m", "dvc", *command], cwd=repository, env=environment,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )
            told += done.stdout
            if done.returncode:
                return False, told
    return True, told
