"""The benchmark's jobs side by side: the same hashes as one by one, whatever is killed or fails in between."""

import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from ruamel.yaml import YAML

from helpers.processes import at_work, command
from helpers.project import ENVIRONMENT, ROOT, Project
from helpers.repository import ran
from helpers.repository import small as repository

sys.path.insert(0, str(ROOT))
from stages.benchmark import run
from stages.benchmark.jobs import dvc_process, local_workers, ray_cluster, remote_job
from stages.benchmark.jobs.lock import is_running
from stages.params.split import Split

RUN = ("python", "-m", "stages.benchmark.run")
JOBS = {"cnn5-0-0", "cnn5-1-0", "cnn8-0-0", "cnn8-1-0"}
CROSSED = {f"{stage}@{dataset}" for stage in ("train_on", "evaluate_on") for dataset in ("ck48", "jaffe")} | {
    "cross_dataset"
}
LAST = {"cost@cnn5", "cost@cnn8", "compare", "report", "review"} | CROSSED
LAST |= {"train", "evaluate"}  # of the main pipeline, which cross_dataset reads


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small project with its data stages run, and with edits and new files that are in no commit."""
    project = Project.copy(tmp_path_factory.mktemp("ready") / "project")
    models = "[cnn5, cnn8, convnet, mini_xception]", "[cnn5, cnn8]"
    project.edit("params.yaml", models, ("folds: [0, 1, 2, 3, 4]", "folds: [0, 1]"), ("seeds: [0, 1, 2]", "seeds: [0]"))
    repository(project)
    project.edit("params.yaml", ("label_smoothing: 0.1", "label_smoothing: 0.2"))
    project.edit(
        "stages/train.py", ("from stages.faces.table", "import stages.training.added\nfrom stages.faces.table")
    )
    (project.folder / "stages/training/added.py").write_text("")
    project.ok("dvc", "repro", "augment")
    project.ok("git", "add", "stages/training/added.py", "dvc.lock")  # other machines get what git knows
    return project


@pytest.fixture(scope="module")
def one_by_one(ready: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project with its benchmark's jobs run by DVC alone; to be read only."""
    project = copy(ready, tmp_path_factory.mktemp("reference") / "project")
    stages = ran(project.ok("dvc", "--cd", "stages/benchmark", "repro", "evaluate"))
    assert set(stages) == {"check"} | {f"{stage}@{job}" for stage in ("train", "evaluate") for job in JOBS}
    return project


@pytest.fixture
def small(ready: Project, tmp_path: Path) -> Project:
    return copy(ready, tmp_path / "project")


def copy(project: Project, folder: Path) -> Project:
    shutil.copytree(project.folder, folder, symlinks=True)
    return Project(folder)


def lock(project: Project) -> dict:
    """What each stage of the benchmark's jobs read and wrote, but for the durations of trainings."""
    stages = YAML(typ="safe").load(project.folder / "stages/benchmark/dvc.lock")["stages"]
    jobs = {name: entry for name, entry in stages.items() if name.startswith(("train@", "evaluate@"))}
    for entry in jobs.values():
        entry["outs"] = [output for output in entry["outs"] if not output["path"].endswith("/training.json")]
    return jobs


def log(project: Project, job: str) -> Path:
    return project.folder / f".dvc/tmp/benchmark/{job}.log"


def begin(project: Project, *options: str) -> subprocess.Popen:
    return subprocess.Popen(
        [*RUN, *options], cwd=project.folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def first(process: subprocess.Popen) -> str:
    """The first job that ends."""
    return next(line.split()[0] for line in process.stdout if " (1 of " in line)


@pytest.mark.slow
def test_two_workers_that_are_stopped_and_killed_go_on_and_write_what_dvc_alone_does(
    small: Project, one_by_one: Project
):
    process = begin(small, "--workers", "2")
    below = at_work(process.pid)
    process.send_signal(signal.SIGTERM)
    _, wrong = process.communicate(timeout=60)
    assert process.returncode == 130 and wrong.startswith("stopped; ") and wrong.count("\n") == 1
    assert not any(map(is_running, below))  # not even on their own
    assert not list(small.folder.glob("data/benchmark/*/*"))  # none has gone on to its end

    process = begin(small, "--workers", "2")
    ended = first(process)
    told = log(small, ended).stat().st_mtime_ns
    at_work(process.pid)
    process.kill()

    done = small.run(*RUN, "--workers", "2")
    assert done.returncode == 0 and "waiting: another run" in done.stderr  # a killed run's jobs go on
    assert set(ran(done.stdout)) == LAST and f"{ended} (" not in done.stdout
    assert log(small, ended).stat().st_mtime_ns == told
    assert lock(small) == lock(one_by_one)
    assert ran(small.ok(*RUN, "--workers", "2")) == ran(small.ok("dvc", "--cd", "stages/benchmark", "repro")) == []


@pytest.mark.slow
def test_a_job_that_fails_is_named_and_the_others_end(small: Project):
    small.edit("params.yaml", ("cnn8: {", "cnn8: {init: nowhere, "), ("folds: [0, 1]", "folds: [1]"))
    done = small.run(*RUN, "--workers", "2")
    assert done.returncode == 1
    assert done.stderr == "ERROR: cnn8-1-0 failed; see .dvc/tmp/benchmark/cnn8-1-0.log\n"
    assert "train.init: 'nowhere' is neither" in log(small, "cnn8-1-0").read_text()
    assert set(lock(small)) == {"train@cnn5-1-0", "evaluate@cnn5-1-0"}


@pytest.mark.slow
def test_a_cluster_of_which_a_machine_dies_writes_what_dvc_alone_does(small: Project, one_by_one: Project):
    cluster = pytest.importorskip("ray.cluster_utils", reason="an optional extra")
    small.ok("dvc", "remote", "add", "-q", "-d", "store", str(small.folder.parent / "store"))
    small.edit("params.yaml", ("faces_remote: here ", "faces_remote: store "))
    machines = cluster.Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        second = machines.add_node(num_cpus=1)
        process = begin(small, "--ray", machines.address)
        below = at_work(*[started.process.pid for group in second.all_processes.values() for started in group])
        places = [line[-1] for line in map(command, below) if line[:1] == ["sh"]]
        for child in below:
            with suppress(psutil.NoSuchProcess):  # one that dies ends others
                child.kill()
        machines.remove_node(second, allow_graceful=False)
        for place in places:
            shutil.rmtree(place, ignore_errors=True)  # it may be gone, by what was killed last
        said, wrong = process.communicate(timeout=600)
        assert process.returncode == 0, said + wrong
    finally:
        machines.shutdown()
    assert set(ran(said)) == LAST | {"check"}  # faces_remote was changed
    assert lock(small) == lock(one_by_one)
    assert small.ok("git", "for-each-ref", "--format=%(refname)").split() == ["refs/heads/main"]
    assert not list(Path(tempfile.gettempdir()).glob("benchmark-*"))


@pytest.mark.slow
def test_a_result_of_what_has_changed_meanwhile_is_not_taken(
    one_by_one: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    small, job = copy(one_by_one, tmp_path / "project"), "cnn5-0-0"
    monkeypatch.chdir(small.folder)
    folder, recorded = (
        ray_cluster.folder(job),
        remote_job.recorded(Path(), dvc_process.FOLDER, dvc_process.stages_of(job)),
    )
    packed = Path(shutil.make_archive(tmp_path / "results", "zip", folder)).read_bytes()
    shutil.rmtree(folder)
    assert ray_cluster.store(job, packed, recorded, {}) and lock(small) == lock(one_by_one)
    assert job not in dvc_process.outdated_jobs([])
    small.edit("params.yaml", ("batch_size: 32", "batch_size: 16"))
    assert not ray_cluster.store(job, packed, recorded, {}) and job in dvc_process.outdated_jobs([])
    small.edit("params.yaml", ("batch_size: 16", "batch_size: 32"))
    assert dvc_process.outdated_jobs([]) == [job]


def test_impossible_options_are_refused(project: Project):
    repository(project)

    def refused(*options: str) -> str:
        done = project.run(*RUN, *options)
        assert done.returncode == 1 and done.stderr.startswith("ERROR: ") and done.stderr.count("\n") == 1
        return done.stderr

    assert "--workers: 0 is too few" in refused("--workers", "0")
    assert "speed: not a stage of the benchmark; choose from compare, report, review, cross_dataset" in refused("speed")
    project.edit("params.yaml", ("test_on: null ", "test_on: sfew "))
    only = "under split.test_on no face of sfew is trained on; choose from compare, review"
    assert f"cross_dataset: {only}" in refused("review", "cross_dataset")
    assert f"report: {only}" in refused("report")
    project.edit(
        "params.yaml", ("test_on: sfew ", "test_on: null "), ("protocol: held_out ", "protocol: cross_validation ")
    )
    assert "review: under split.protocol cross_validation every face is a test face; choose from" in refused("review")
    project.edit("params.yaml", ("protocol: cross_validation ", "protocol: held_out "))
    pytest.importorskip("ray", reason="an optional extra")
    assert "dvc remote add -d" in refused("--ray", "auto")
    project.ok("dvc", "remote", "add", "-q", "-d", "store", "../store")
    assert "faces_remote: other machines cannot read the remote 'here'" in refused("--ray", "auto")
    project.edit("params.yaml", ("faces_remote: here ", "faces_remote: store "))
    for address in ("auto", "127.0.0.1:9", "somewhere"):
        assert f"no cluster at {address}, which can be auto or <host>:<port>: " in refused("--ray", address)
    assert project.written().keys() == {"data/dvc.yaml", "data/exclude.csv", "data/fingerprints/local.json"}


@pytest.mark.parametrize(
    ("split", "left_out"),
    [({"test_on": "sfew"}, {"cross_dataset", "report"}), ({"protocol": "cross_validation"}, {"review"}), ({}, set())],
)
def test_without_a_choice_impossible_stages_are_left_out(split: dict, left_out: set, capsys: pytest.CaptureFixture):
    stages = run.possible([], Split(**Split.load(path=ROOT / "params.yaml").model_dump() | split))
    assert set(run.STAGES) - set(stages or run.STAGES) == left_out
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == left_out


def test_each_worker_has_a_gpu_of_its_own_as_far_as_they_go(monkeypatch: pytest.MonkeyPatch):
    def gpus(count: int) -> list[str]:
        return [environment["CUDA_VISIBLE_DEVICES"] for environment in local_workers.gpus(count)]

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    assert gpus(3) == ["2", "5", "2"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpus(2) == ["", ""]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    assert gpus(2) == ["0", "1"]
