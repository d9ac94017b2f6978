"""Sharing: remotes of every kind that README names, between two clones; what shows faces is kept back unless told."""

import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from helpers import remotes
from helpers.project import ENVIRONMENT, Project
from helpers.repository import commit, hashes, ran, small

SHOW_FACES = ("data/archives", "data/merged", "data/augmented", "plots/faces", "plots/explained", "plots/report.html")
UP_TO_FIGURES = ["augment", "train", "evaluate"]
TIMED = "metrics/training.json"  # has the duration of the training
RERUN = ["check", "train", "evaluate", "explain", "report"]


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `a`, a repository whose pipeline was run and may share faces, and `origin.git`, which it pushes to.

    To be copied, not changed.
    """
    folder = tmp_path_factory.mktemp("team")
    a = Project.copy(folder / "a")
    a.edit("params.yaml", ("faces_remote: here", "faces_remote: store"))
    small(a)
    a.ok("dvc", "repro")
    commit(a)
    a.ok("git", "clone", "-q", "--bare", ".", "../origin.git")
    a.ok("git", "remote", "add", "origin", "../origin.git")
    return folder


@pytest.fixture
def a(team: Path, tmp_path: Path) -> Project:
    shutil.copytree(team, tmp_path / "team")
    return Project(tmp_path / "team/a")


def share(a: Project, *commands: str) -> None:
    """Add the remote, and let the others have it."""
    for command in commands:
        a.ok("dvc", "remote", *command.split())
    commit(a)
    a.ok("git", "push", "-q", "origin", "HEAD")


def clone(a: Project) -> Project:
    """The clone `b` of a's origin."""
    a.ok("git", "clone", "-q", "../origin.git", "../b")
    b = Project(a.folder.parent / "b")
    for key in ("user.name", "user.email"):
        b.ok("git", "config", key, "test")
    return b


def digests(project: Project) -> dict[str, str]:
    """Of every file that the pipeline wrote."""
    return {path: md5(project.folder / path) for path in project.written()}


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@contextmanager
def folder_store(place: Path) -> Iterator[tuple[list[str], list[str]]]:
    yield [f"add -d store {place}"], []


@contextmanager
def s3_store(place: Path) -> Iterator[tuple[list[str], list[str]]]:
    with remotes.s3(place) as server:
        yield (
            ["add -d store s3://faces/project", f"modify store endpointurl {server.url}"],
            [f"access_key_id {remotes.KEY}", f"secret_access_key {remotes.SECRET}"],
        )


@contextmanager
def ssh_store(place: Path) -> Iterator[tuple[list[str], list[str]]]:
    if not remotes.SSHD:
        pytest.skip("no sshd here: install OpenSSH's server to test SSH remotes")
    with remotes.ssh(place) as (port, key):
        yield [f"add -d store ssh://127.0.0.1:{port}{place}/store"], [f"keyfile {key}"]


@pytest.mark.slow
@pytest.mark.parametrize("store", [s3_store, ssh_store, folder_store])
def test_a_colleague_gets_the_figures_without_training_and_hands_back_an_experiment(
    a: Project, tmp_path: Path, store: Callable
):
    with store(tmp_path / "store") as (commands, secrets):
        share(a, *commands)
        for secret in secrets:
            a.ok("dvc", "remote", "modify", "--local", "store", *secret.split(maxsplit=1))
        a.ok("dvc", "push")
        b = clone(a)
        assert not any(secret.split(maxsplit=1)[1] in (b.folder / ".dvc/config").read_text() for secret in secrets)
        for secret in secrets:
            b.ok("dvc", "remote", "modify", "--local", "store", *secret.split(maxsplit=1))
        b.ok("dvc", "pull")
        assert digests(b) == digests(a)
        assert "up to date" in b.ok("dvc", "status", "dvc.yaml")
        assert ran(b.ok("dvc", "repro")) == []

        assert ran(b.ok("dvc", "exp", "run", "-n", "slower", "-S", "train.lr=0.0001")) == RERUN
        b.ok("dvc", "exp", "branch", "slower", "slower-branch")
        changes = json.loads(b.ok("dvc", "metrics", "diff", "--json", "main", "slower-branch"))
        assert changes["metrics/metrics.json"]["validation.log_loss"]["diff"]
        b.ok("dvc", "exp", "push", "origin", "slower")

        a.ok("dvc", "exp", "pull", "origin", "slower")
        a.ok("dvc", "exp", "apply", "slower")
        assert digests(a) == digests(b) and hashes(a) == hashes(b)
        assert ran(a.ok("dvc", "repro")) == []


@pytest.mark.slow
def test_a_server_killed_in_the_middle_of_a_push_is_pushed_to_again(a: Project, tmp_path: Path):
    (a.folder / "more").mkdir()
    for number in range(500):  # so that it takes some seconds
        (a.folder / f"more/{number}").write_text(str(number))
    a.ok("dvc", "add", "-q", "more")
    with remotes.s3(tmp_path / "s3") as server:
        share(a, "add -d store s3://faces/project", f"modify store endpointurl {server.url}")
        keys = {"AWS_ACCESS_KEY_ID": remotes.KEY, "AWS_SECRET_ACCESS_KEY": remotes.SECRET}
        push = subprocess.Popen(
            ["dvc", "push", "-j", "1"],
            cwd=a.folder,
            env=ENVIRONMENT | keys | {"AWS_MAX_ATTEMPTS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not server.objects():
            assert push.poll() is None
            time.sleep(0.01)
        server.kill()
        assert push.wait(300) != 0
        server.start()
        before = server.objects()
        a.ok("dvc", "push", **keys)
        assert 0 < len(before) < len(server.objects())
        b = clone(a)
        b.ok("dvc", "pull", **keys)
        assert digests(b) == digests(a) and len(list((b.folder / "more").iterdir())) == 500
        assert ran(b.ok("dvc", "repro")) == []


@pytest.mark.slow
def test_what_shows_faces_stays_and_whoever_has_the_archives_goes_on(project: Project, drawn: Callable, tmp_path: Path):
    def archives(person: str) -> list[tuple[str, str]]:
        """Changes of params.yaml that name the copies of the archives that this person has."""
        changes = []
        for dataset in ("ck48", "jaffe"):
            path = tmp_path / person / f"{dataset}.zip"
            path.parent.mkdir(exist_ok=True)
            shutil.copy(drawn(dataset, 130) / path.name, path)
            known = "null" if person == "a" else tmp_path / "a" / path.name
            changes.append((f"{dataset}: {{path: {known}", f"{dataset}: {{path: {path}"))
        return changes

    (tmp_path / "team").mkdir()
    a = Project.copy(tmp_path / "team/a")
    a.edit("params.yaml", ("source: demo", "source: local"), *archives("a"))
    small(a)
    a.ok("dvc", "repro")
    commit(a)
    a.ok("git", "clone", "-q", "--bare", ".", "../origin.git")
    a.ok("git", "remote", "add", "origin", "../origin.git")
    share(a, f"add -d store {tmp_path}/store")
    a.ok("dvc", "push", "--run-cache")
    a.ok("dvc", "push")

    pushed = {md5(path) for path in (tmp_path / "store").rglob("*") if path.is_file()}
    faces = {path: digest for path, digest in digests(a).items() if path.startswith(SHOW_FACES)}
    rest = {path: digest for path, digest in digests(a).items() if path not in faces}
    assert {path.rsplit("/", 1)[0] for path in faces} >= {"data/merged", "data/augmented", "plots/explained", "plots"}
    assert pushed.isdisjoint(faces.values())
    assert {digest for path, digest in rest.items() if path.startswith(("data/model", "data/predictions"))} <= pushed

    b = clone(a)
    b.ok("dvc", "pull", "--allow-missing")
    assert digests(b) == rest
    b.edit("params.yaml", *archives("b"))
    again = ran(b.ok("dvc", "repro"))
    assert "merge" in again and not {"clean", "split", "train", "evaluate"} & set(again)
    assert digests(b) == digests(a)

    b.edit("params.yaml", ("faces_remote: here", "faces_remote: store"))
    assert ran(b.ok("dvc", "repro")) == ["check"]
    b.ok("dvc", "push")
    assert {md5(path) for path in (tmp_path / "store").rglob("*") if path.is_file()} >= set(faces.values())


@pytest.mark.slow
def test_queued_experiments_of_two_workers_are_those_of_runs_made_alone(a: Project, team: Path, tmp_path: Path):
    share(a, f"add -d store {tmp_path}/store")
    one_thread = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}  # the threads are part of what bytes depend on
    a.ok("dvc", "exp", "run", "--queue", "-S", "seed=1,2", "-S", "split.fold=0,1", "evaluate")
    a.ok("dvc", "queue", "start", "-j", "2", **one_thread)
    while re.search("Queued|Running", status := a.ok("dvc", "queue", "status")):
        time.sleep(1)
    assert status.count("Success") == 4, status

    queued = {}
    for reference in a.ok("git", "for-each-ref", "--format=%(refname)", "refs/exps/*/*/*").split():
        content, lock = (
            YAML(typ="safe").load(a.ok("git", "show", f"{reference}:{name}")) for name in ("params.yaml", "dvc.lock")
        )
        queued[content["seed"], content["split"]["fold"]] = {
            stage: [(out["path"], out["md5"]) for out in lock["stages"][stage]["outs"] if out["path"] != TIMED]
            for stage in UP_TO_FIGURES
        }
    assert len({str(found["train"]) for found in queued.values()}) == len(queued) == 4

    shutil.copytree(team / "a", tmp_path / "alone")
    alone, before = Project(tmp_path / "alone"), ("seed: 0", "fold: 0")
    shutil.rmtree(alone.folder / ".dvc/cache/runs")
    for (seed, fold), found in queued.items():
        after = f"seed: {seed}", f"fold: {fold}"
        alone.edit("params.yaml", *zip(before, after, strict=True))
        before = after
        assert "train" in ran(alone.ok("dvc", "repro", "evaluate", **one_thread))
        made = hashes(alone, *UP_TO_FIGURES)
        assert {stage: [out for out in outs if out[0] != TIMED] for stage, outs in made.items()} == found
