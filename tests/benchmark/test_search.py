"""The search: real trials as DVC experiments, killed and gone on with; what cannot be gone on with is refused."""

import json
import os
import signal
import subprocess
import time

import optuna
import pytest
from ruamel.yaml import YAML

from helpers.processes import at_work
from helpers.project import ENVIRONMENT, Project
from helpers.repository import commit, small

SEARCH = ("python", "-m", "stages.benchmark.search")


@pytest.fixture
def ready(project: Project) -> Project:
    """A repository whose pipeline was run on a small demo; its model sets what the search tries."""
    project.edit("params.yaml", ("cnn5: {}", "cnn5: {lr: 0.5}"))
    small(project)
    project.ok("dvc", "repro", "-q")
    commit(project)
    return project


def references(project: Project) -> list[str]:
    return project.ok("git", "for-each-ref", "--format=%(refname)", "refs/exps/??/*/*").split()


def trials(project: Project) -> dict[str, dict]:
    """What was tried and found of each experiment, as recorded."""
    found = {}
    for reference in references(project):
        params = YAML(typ="safe").load(project.ok("git", "show", f"{reference}:params.yaml"))
        figures = json.loads(project.ok("git", "show", f"{reference}:metrics/metrics.json"))
        found[reference.split("/")[-1]] = params["models"]["cnn5"] | {"macro_f1": figures["validation"]["macro_f1"]}
    return found


def refused(project: Project, *options: str) -> str:
    done = project.run(*SEARCH, *options)
    assert done.returncode == 1 and done.stdout == "", done.stdout + done.stderr
    assert done.stderr.startswith("ERROR: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def killed(project: Project, experiments: int, trials_too: bool) -> None:
    """Start a search of twelve trials and kill it, with or without its trial, when it has so many experiments."""
    with subprocess.Popen(
        [*SEARCH, "--trials", "12"], cwd=project.folder, env=ENVIRONMENT, stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:  # fmt: skip
        while len(references(project)) < experiments:
            assert process.poll() is None
            time.sleep(0.2)
        at_work(process.pid)
        (os.killpg if trials_too else os.kill)(process.pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been_and_its_best_gives_its_figure_again(
    ready: Project,
):
    killed(ready, 2, trials_too=False)
    killed(ready, 5, trials_too=True)
    assert 5 <= len(references(ready)) <= 6
    before = ready.written(), ready.ok("git", "status", "--short")
    said = ready.ok(*SEARCH, "--trials", "12")
    assert (ready.written(), ready.ok("git", "status", "--short")) == before and before[1] == ""

    found = trials(ready)
    names = ready.ok("dvc", "exp", "list", "--name-only").split()
    assert sorted(names) == sorted(found) == sorted(f"search-{number}" for number in range(12))
    assert len({tuple(trial.items()) for trial in found.values()}) == 12
    best = max(found, key=lambda name: found[name]["macro_f1"])
    assert said.splitlines()[1].split()[:3] == ["1", best, f"{found[best]['macro_f1']:.4f}"]
    assert said.splitlines()[-1].endswith(f"dvc exp apply {best} && dvc repro")

    # Optuna itself, never stopped, told the same figures.
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    for number in range(12):
        trial = study.ask()
        asked = {
            "label_smoothing": trial.suggest_float("label_smoothing", 0.0, 0.2),
            "lr": trial.suggest_float("lr", 0.0003, 0.01, log=True),
            "strength": trial.suggest_float("strength", 0.0, 1.0),
            "weight_decay": trial.suggest_float("weight_decay", 0.001, 0.3, log=True),
        }
        value = found[f"search-{number}"]["macro_f1"]
        assert found[f"search-{number}"] == asked | {"macro_f1": value}
        study.tell(trial, value)

    ready.ok("dvc", "exp", "apply", best)
    figures, weights = (ready.folder / name for name in ("metrics/metrics.json", "data/model/weights.safetensors"))
    applied = figures.read_text(), weights.read_bytes()
    assert json.loads(applied[0])["validation"]["macro_f1"] == found[best]["macro_f1"]
    config = json.loads((ready.folder / "data/model/config.json").read_text())
    assert config["recipe"].items() >= {key: found[best][key] for key in ("lr", "strength", "weight_decay")}.items()
    figures.unlink()
    for stage in ("train", "evaluate"):
        ready.ok("dvc", "repro", "--force", "--single-item", stage)
    assert (figures.read_text(), weights.read_bytes()) == applied


@pytest.mark.slow
def test_a_search_of_other_params_code_or_data_is_not_gone_on_with(ready: Project):
    def back() -> None:
        ready.ok("git", "checkout", "-q", ".")
        ready.ok("dvc", "checkout", "-q", "--allow-missing")

    first = ready.ok(*SEARCH, "--trials", "1")
    assert "best of 1 on the same faces" in first and "faces of fold 0 favour it" in first
    assert first.splitlines()[-2].endswith("benchmark.folds=[1, 2, 3, 4]")
    ready.edit("params.yaml", ("models: [cnn5, cnn8", "models: [cnn8"))  # what a trial does not read
    ready.edit("stages/report.py", ("import", "# a comment\nimport"))
    commit(ready)  # experiments are found from other commits
    assert ready.ok(*SEARCH, "--trials", "1") == first

    for old, new, other in (
        ("high: 0.2}", "high: 0.3}", "search, "),
        ("epochs: 1", "epochs: 2", "train"),
        ("  fold: 0", "  fold: 1", "split.fold"),
        ("launch: python", "launch: torchrun", "launch"),
    ):
        ready.edit("params.yaml", (old, new))
        assert other in refused(ready, "--trials", "1").partition("search-0 was made with a different ")[2]
        back()
    ready.edit("stages/training/loop.py", ("import", "# a comment\nimport"))
    assert "search-0 was made with a different stages/training/loop.py, " in refused(ready, "--trials", "1")
    back()
    for old, new, other, data_change in (
        ("model: cnn5", "model: cnn8", "model, ", False),
        ("\nseed: 0", "\nseed: 1", "seed, ", True),
        ("test_share: 0.2", "test_share: 0.3", "data, ", True),
    ):
        ready.edit("params.yaml", (old, new))
        if data_change:
            assert "run: dvc repro augment" in refused(ready, "--trials", "1")
            ready.ok("dvc", "repro", "-q", "augment")
        assert other in refused(ready, "--trials", "1").partition("search-0 was made with a different ")[2]
        back()

    ready.ok("dvc", "exp", "run", "-q", "--temp", "-n", "mine-0", "augment")
    assert "mine-0 was made with a different models.cnn5" in refused(ready, "--name", "mine")
    assert ready.ok(*SEARCH, "--trials", "1") == first and len(references(ready)) == 2


@pytest.mark.slow
def test_a_trial_that_fails_is_told_and_the_search_goes_on_until_three_fail_in_a_row(ready: Project):
    ready.edit("params.yaml", ("lr: {low: 0.0003, high: 0.01, log: true}", "init: {choices: [random, nowhere]}"))
    done = ready.run(*SEARCH, "--trials", "2")
    assert done.returncode == 0, done.stderr
    first, second = [line for line in done.stderr.splitlines() if line.startswith("trial ")]
    assert first.startswith("trial 0 failed: init nowhere") and "'nowhere'" in first.split(": ", 2)[2]
    assert second.startswith("trial 1: validation macro-F1") and len(references(ready)) == 1
    again = ready.run(*SEARCH, "--trials", "2")
    assert again.stdout == done.stdout and "one records a later trial" in again.stderr  # not tried again

    ready.edit("params.yaml", ("[random, nowhere]", "[neither, nowhere]"))
    done = ready.run(*SEARCH, "--trials", "5", "--name", "none")
    assert done.returncode == 1 and done.stdout == "" and "Traceback" not in done.stderr
    *lines, last = done.stderr.splitlines()
    assert len(lines) == 3 and last.startswith("ERROR: 3 trials in a row failed, the last because: ")
    assert not any("none" in reference for reference in references(ready))


@pytest.mark.parametrize(("options", "line"), [
    (("--trials", "0"), "--trials: 0 is too few"), (("--name", "a/b"), "--name: 'a/b' cannot name experiments"),
    ((), "not a git repository"),
])  # fmt: skip
def test_what_cannot_be_searched_is_refused(project: Project, options: tuple[str, ...], line: str):
    assert line in refused(project, *options)


def test_nothing_to_search_is_refused(project: Project):
    text = (project.folder / "params.yaml").read_text()
    before, _, after = text.partition("search:")
    (project.folder / "params.yaml").write_text(before + "search: {}\n\n" + after[after.index("report:") :])
    assert "search: nothing to try" in refused(project)
