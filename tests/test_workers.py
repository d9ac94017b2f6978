"""The benchmark's jobs side by side: the same hashes as one by one, whatever is killed or fails in between."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ENVIRONMENT, ROOT, Project
from ruamel.yaml import YAML
from test_pipeline import ran
from test_pipeline import small as repository

sys.path.insert(0, str(ROOT))
from benchmark.workers import gpus  # noqa: E402

RUN = ("python", "-m", "benchmark.run")
JOBS = {"cnn5-0-0", "cnn5-1-0", "cnn8-0-0", "cnn8-1-0"}
LAST = {f"benchmark/dvc.yaml:{stage}" for stage in ("cost@cnn5", "cost@cnn8", "compare", "review")}


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small project with its data stages run, and with edits and a new file that are in no commit."""
    project = Project.copy(tmp_path_factory.mktemp("ready") / "project")
    models = "[cnn5, cnn8, convnet, mini_xception]", "[cnn5, cnn8]"
    project.edit("params.yaml", models, ("folds: [0, 1, 2, 3, 4]", "folds: [0, 1]"))
    repository(project)
    project.edit("params.yaml", ("label_smoothing: 0.1", "label_smoothing: 0.2"))
    project.edit("stages/train.py", ("from stages.table", "import stages.training.added\nfrom stages.table"))
    (project.folder / "stages/training/added.py").write_text("")
    project.ok("dvc", "repro", "augment")
    return project


@pytest.fixture(scope="module")
def one_by_one(ready: Project, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """benchmark/dvc.lock as DVC alone writes it."""
    project = copy(ready, tmp_path_factory.mktemp("reference") / "project")
    assert len(ran(project.ok("dvc", "repro", "benchmark/dvc.yaml"))) == 2 * len(JOBS) + len(LAST)
    return lock(project)


@pytest.fixture
def small(ready: Project, tmp_path: Path) -> Project:
    return copy(ready, tmp_path / "project")


def copy(project: Project, folder: Path) -> Project:
    shutil.copytree(project.folder, folder, symlinks=True)
    return Project(folder)


def lock(project: Project) -> dict:
    """What each stage of the benchmark read and wrote, but for measured speeds and what they are told in."""
    stages = YAML(typ="safe").load(project.folder / "benchmark/dvc.lock")["stages"]
    return {name: entry for name, entry in stages.items() if name != "compare" and not name.startswith("cost@")}


def log(project: Project, job: str) -> str:
    return (project.folder / f".dvc/tmp/benchmark/{job}.log").read_text()


def begin(project: Project, *options: str) -> tuple[subprocess.Popen, set[str]]:
    """Start a run in a process group of its own, and let the first job end; the jobs that have ended."""
    process = subprocess.Popen(
        [*RUN, *options], cwd=project.folder, env=ENVIRONMENT | {"XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]},
        start_new_session=True, stdout=subprocess.PIPE, text=True,
    )
    for line in process.stdout:
        if " (1 of " in line:
            return process, {line.split()[0]}
    raise AssertionError("no job has ended")


def clean(project: Project) -> bool:
    """Whether nothing is left of clones."""
    refs = project.ok("git", "for-each-ref", "--format=%(refname)").split()
    return not (project.folder / ".dvc/tmp/benchmark/clones").exists() and refs == ["refs/heads/main"]


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_two_workers_that_are_stopped_go_on_and_write_what_dvc_alone_does(
    small: Project, one_by_one: dict, how: signal.Signals
):
    status = small.ok("git", "status", "--short")
    process, ended = begin(small, "--workers", "2")
    (os.killpg if how == signal.SIGKILL else os.kill)(process.pid, how)
    assert process.wait(timeout=60) != 0
    if how == signal.SIGINT:
        assert clean(small)
    assert small.ok("git", "status", "--short") == status  # nothing half-done stands in the project

    told = small.ok(*RUN, "--workers", "2")
    assert set(ran(told)) == LAST  # in the project itself: all else came out of the cache
    assert not any(ran(log(small, job)) for job in ended) and any(ran(log(small, job)) for job in JOBS)
    assert lock(small) == one_by_one and clean(small)
    assert ran(small.ok(*RUN, "--workers", "2")) == ran(small.ok("dvc", "repro", "benchmark/dvc.yaml")) == []


@pytest.mark.slow
def test_a_job_that_fails_is_named_and_the_others_end(small: Project):
    small.edit("params.yaml", ("folds: [0, 1]", "folds: [1]"), ("cnn8: {}", "cnn8: {init: nowhere}"))
    done = small.run(*RUN, "--workers", "2")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "cnn8-1-0 failed: .dvc/tmp/benchmark/cnn8-1-0.log tells why" in done.stderr
    assert "train.init: 'nowhere' is neither" in log(small, "cnn8-1-0")
    assert (small.folder / "data/benchmark/cnn5/1-0/metrics.json").exists() and clean(small)
    assert "train@cnn5-1-0" in lock(small) and "train@cnn8-1-0" not in lock(small)


@pytest.mark.slow
def test_a_cluster_of_which_a_machine_dies_writes_what_dvc_alone_does(small: Project, one_by_one: dict):
    pytest.importorskip("ray", reason="an optional extra")
    from ray.cluster_utils import Cluster

    refused = small.run(*RUN, "--ray", "auto")
    assert refused.returncode == 1 and "ERROR: --ray: machines share data through a DVC remote" in refused.stderr
    small.ok("dvc", "remote", "add", "-q", "-d", "store", str(small.folder.parent / "store"))
    refused = small.run(*RUN, "--ray", "auto")
    assert refused.returncode == 1 and "ERROR: --ray: faces_remote is here" in refused.stderr
    small.edit("params.yaml", ("faces_remote: here ", "faces_remote: store "))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        second = cluster.add_node(num_cpus=1)
        process, _ = begin(small, "--ray", cluster.address)
        time.sleep(3)
        cluster.remove_node(second, allow_graceful=False)
        told = process.communicate(timeout=600)[0]
    finally:
        cluster.shutdown()
    assert process.returncode == 0 and set(ran(told)) == LAST
    assert lock(small) == one_by_one and clean(small)


def test_a_wrong_number_of_workers_is_refused(project: Project):
    done = project.run(*RUN, "--workers", "0")
    assert done.returncode == 1 and done.stderr == "ERROR: --workers: 0 is too few; give 1 or more\n"


def test_two_runs_at_once_are_refused(project: Project):
    folder = project.folder / ".dvc/tmp/benchmark"
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = project.run(*RUN)
    assert done.returncode == 1 and done.stderr.startswith("ERROR: another run of the benchmark")


def test_each_worker_has_a_gpu_of_its_own_as_far_as_they_go(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    assert gpus(3) == ["2", "5", "2"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpus(2) == [None, None]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    assert gpus(2) == ["0", "1"]
