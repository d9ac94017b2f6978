"""Studies: the file, the metrics of runs by hand, the page, and real runs that are stopped and continued."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from threading import Timer

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score
from zc.lockfile import LockFile

from helpers.processes import at_work
from helpers.project import ENVIRONMENT, ROOT, Project
from helpers.repository import commit, small
from stages.base.errors import InputError
from stages.benchmark.study import Study, not_done, read_studies
from stages.benchmark.study_results import StudyRun, study_results
from stages.models.networks import PRETRAININGS
from stages.params.complete import Params
from stages.reporting.studies_page import render_studies

STUDIES = ("python", "-m", "stages.benchmark.studies")
FILE = "stages/benchmark/studies.yaml"
LABELS = ["anger", "happy", "neutral"]


def studies_of(folder: Path, text: str) -> dict[str, Study]:
    path = folder / "studies.yaml"
    path.write_text(text)
    return read_studies(path)


# The file


def test_a_study_has_the_settings_of_its_recipe_and_those_of_train_apply_to_its_model(tmp_path: Path):
    studies = studies_of(tmp_path, """
        recipes: {slow: {train.lr: 0.1, train.epochs: 9, augment.balance: 0}}
        studies:
          a: {about: one, recipe: slow, settings: {model: cnn8, train.lr: 0.2, split.folds: 3}, seeds: [0, 1]}
          b: {about: both, ensemble: [a]}
        """)  # fmt: skip
    assert studies["a"].determining == {
        "settings": {"models.cnn8.lr": 0.2, "models.cnn8.epochs": 9, "augment.balance": 0, "model": "cnn8",
                     "split.folds": 3},
        "folds": [0], "seeds": [0, 1], "ensemble": None,
    }  # fmt: skip
    params = Params.load(ROOT / "params.yaml").changed(studies["a"].settings)
    assert (params.recipe.lr, params.recipe.epochs, params.recipe.dropout) == (0.2, 9, 0.2)  # cnn8 has an lr of its own


@pytest.mark.parametrize(("study", "message"), [
    ("{settings: {model: cnn5}}", "studies.a.about: missing"),
    ("{about: x, settings: {model: cnn5}, recipe: slaw}", "studies.a.recipe: 'slaw' is not one of `recipes`: did you"),
    ("{about: x, settings: {train.lr: 1}}", "studies.a: settings must name the model"),
    ("{about: x, settings: {model: cnn5}, seeds: []}", "studies.a.seeds: [] is not allowed"),
    ("{about: x, settings: {model: cnn5}, folds: [1, 1]}", "studies.a.folds: [1, 1] contains a value twice"),
    ("{about: x, ensemble: [b]}", "studies.a.ensemble: 'b' is no study that trains"),
    ("{about: x, ensemble: [a]}", "studies.a.ensemble: 'a' is no study that trains"),
    ("{about: x, ensemble: [a], seeds: [1]}", "studies.a: ensemble averages other studies"),
    ("{about: x, settings: {model: cnn5}, original: [{metric: accuracy, value: 0.5, source: x, difference: y}]}",
     "studies.a.original.0.metric: 'accuracy' is not allowed"),
    ("{about: x, settings: {model: cnn5}, original: [{metric: test.accuracy, value: 50, source: x, difference: y}]}",
     "studies.a.original.0.value: 50 is not allowed"),
    ("{about: x, settings: {model: cnn5, seed: 3}}", "studies.a: settings: seed is given by seeds"),
    ("{about: x, settings: {model: cnn5, split.fold: 3}}", "studies.a: settings: split.fold is given by folds"),
])  # fmt: skip
def test_what_a_study_cannot_be_is_refused(tmp_path: Path, study: str, message: str):
    with pytest.raises(InputError, match=re.escape(f"studies.yaml: {message}")):
        studies_of(tmp_path, f"recipes: {{slow: {{train.lr: 0.1}}}}\nstudies: {{a: {study}}}")


def test_the_studies_of_this_project_are_valid():
    studies = read_studies(ROOT / FILE)
    params = Params.load(ROOT / "params.yaml")
    names = list(studies)
    for name, study in studies.items():
        if study.ensemble:
            continue
        archives = {f"sources.local.{dataset}.path": "x" for dataset in study.settings["data.datasets"]}
        changed = params.changed({**archives, "data.source": "local", **study.settings})
        assert max(study.folds) < changed.split.folds, name
        for model in (changed.recipe.init, *changed.recipe.teachers):
            if model not in ("random", *PRETRAININGS):  # the experiment of a study that stands before
                assert names.index(model.rpartition("-")[0]) < names.index(name), name


def test_a_study_is_done_if_its_result_is_of_its_settings_and_of_real_faces():
    study = Study(about="x", settings={"model": "cnn5"})
    studies = {"b": Study(about="x", ensemble=["a"]), "a": study}
    done = {name: {**one.determining, "drawn_faces": False, "commit": "c"} for name, one in studies.items()}
    assert not_done(studies, done, drawn=False) == {} and list(not_done(studies, {}, drawn=False)) == ["a", "b"]
    assert list(not_done(studies, {**done, "a": {**done["a"], "seeds": [0, 1]}}, drawn=False)) == ["a", "b"]
    assert list(not_done(studies, {**done, "a": {**done["a"], "commit": "d"}}, drawn=False)) == ["b"]
    permitted = study.model_copy(update={"settings": {"model": "cnn5", "models.cnn5.allow_seen_test": True}})
    assert not_done({"a": permitted}, done, drawn=False) == {}
    drawn = {name: {**result, "drawn_faces": True} for name, result in done.items()}
    assert list(not_done(studies, drawn, drawn=False)) == ["a", "b"] and not_done(studies, drawn, drawn=True) == {}


# Results


def run(faces: range, seed: int, **metrics: object) -> StudyRun:
    """A made-up run that predicts these faces, of two data sets and in groups of three."""
    rng, ids = np.random.default_rng([seed, faces.start]), np.array(faces)
    shares = rng.dirichlet([1, 1, 1], len(ids)).round(6)
    rows = pd.DataFrame({
        "id": ids, "dataset": np.where(ids // 3 % 2, "ck48", "sfew"), "file": ids.astype(str), "group": ids // 3,
        "label": np.array(LABELS)[ids % 3],
    })  # fmt: skip
    rows["prediction"] = np.array(LABELS)[shares.argmax(1)]
    known = {
        "validation": {"accuracy": 0.1 + seed / 10, "macro_f1": 0.2},
        "test": {"coarse": {"accuracy": 0.5, "macro_f1": 0.4}},
        "parameters": 7,
        "drawn_faces": False,
    }
    training = {"seconds": 2.5, "device": "GPU" if seed else "CPU", "threads": 2, "precision": "float32", "torch": "2"}
    return StudyRun(rows.join(pd.DataFrame(shares, columns=LABELS)), known | metrics, training, "abc")


def test_runs_of_the_same_faces_have_a_mean_an_interval_and_an_ensemble():
    leaks = {"leaks": {"faces": 3, "of": 90}}, {"leaks": {"faces": 5, "of": 90}}
    runs = [run(range(90), 0, **leaks[0]), run(range(90), 1, **leaks[1]), run(range(90), 2)]
    result = study_results(runs, averaged=False)
    found, tables = result["metrics"], [one.predictions for one in runs]
    single = [accuracy_score(table["label"], table["prediction"]) for table in tables]
    expected = {"value": np.mean(single), "mean": np.mean(single), "std": np.std(single, ddof=1)}
    assert {name: found["test.accuracy"][name] for name in expected} == pytest.approx(expected, abs=1e-6)
    assert found["test.accuracy"]["low"] < found["test.accuracy"]["value"] < found["test.accuracy"]["high"]
    sfew = pd.concat(table[table["dataset"] == "sfew"] for table in tables)
    assert found["test.sfew.accuracy"]["value"] == pytest.approx((sfew["label"] == sfew["prediction"]).mean(), abs=1e-6)
    assert found["validation.accuracy"] == pytest.approx({"value": 0.2, "mean": 0.2, "std": 0.1})
    assert found["test.coarse.accuracy"] == {"value": 0.5, "mean": 0.5, "std": 0}
    mean = sum(table[LABELS] for table in tables)
    f1 = f1_score(tables[0]["label"], mean.idxmax(axis=1), average="macro")
    assert (
        found["ensemble.macro_f1"]["value"] == pytest.approx(f1, abs=1e-6) and "mean" not in found["ensemble.macro_f1"]
    )
    assert result["leaks"] == {"faces": 5, "of": 90} and "seen_test" not in result
    assert (result["runs"], result["faces"], result["groups"], result["seconds"]) == (3, 90, 30, 7.5)
    assert result["device"] == "CPU, GPU" and result["threads"] == "2" and result["parameters"] == 7

    together = study_results(runs, averaged=True)
    assert together["metrics"]["test.macro_f1"] == found["ensemble.macro_f1"] and together["parameters"] == 21
    assert not [name for name in together["metrics"] if not name.startswith("test.")]


def test_networks_for_faces_of_other_sizes_whose_groups_have_other_numbers_are_averaged():
    runs = [run(range(90), 0), run(range(90), 1)]
    expected = study_results(runs, averaged=True)
    runs[1].predictions["group"] += 4
    assert study_results(runs, averaged=True) == expected


def test_runs_of_folds_are_put_together():
    runs = [run(range(60), 0), run(range(60, 90), 0)]
    found = study_results(runs, averaged=False)["metrics"]
    every = pd.concat(one.predictions for one in runs)
    assert found["test.accuracy"]["value"] == pytest.approx(
        accuracy_score(every["label"], every["prediction"]), abs=1e-6
    )
    assert "std" in found["test.accuracy"] and not [name for name in found if name.startswith("ensemble")]
    leaks = study_results([run(range(60), 0, leaks={"faces": 5, "of": 60}), runs[1]], averaged=False)["leaks"]
    assert leaks == {"faces": 5, "of": 90}
    one = study_results(runs[:1], averaged=False)["metrics"]["test.accuracy"]
    assert set(one) == {"value", "low", "high"}


def test_runs_that_do_not_belong_together_are_refused():
    with pytest.raises(InputError, match="same faces equally often"):
        study_results([run(range(60), 0), run(range(90), 1)], averaged=True)
    other = run(range(60), 1)
    other = StudyRun(other.predictions.rename(columns={"happy": "fear"}), other.metrics, other.training, "abc")
    with pytest.raises(InputError, match="the same labels"):
        study_results([run(range(60), 0), other], averaged=False)


def test_the_page_has_our_results_beside_theirs_and_says_what_leaks():
    original = [
        {"metric": "test.accuracy", "value": 0.7, "source": "A | B, 2020", "difference": "chose on *test*"},
        {"metric": "validation.accuracy", "value": 0.71, "source": "A", "difference": "none"},
    ]
    study = Study(about="one", settings={"model": "cnn5"}, seeds=[0, 1], original=original)
    studies = {"a": study.model_dump(), "b": Study(about="waits", settings={"model": "cnn8"}).model_dump()}
    result = study_results([run(range(90), 0, leaks={"faces": 5, "of": 90}), run(range(90), 1)], averaged=False)
    result |= {"commit": f"{'a' * 40}, {'b' * 40}"}
    results = {"a": study.determining | result, "old": study.determining | result}
    page = render_studies(studies, results, ["b"])
    ours, row = result["metrics"]["test.accuracy"], next(line for line in page.splitlines() if "A \\| B, 2020" in line)
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
    assert cells[:2] == ["a", "test.accuracy"] and cells[4:] == ["0.700", "A \\| B, 2020", "chose on \\*test\\*"]
    assert cells[2].startswith(
        f"{ours['value']:.3f} ({ours['low']:.3f}–{ours['high']:.3f}) **Leaks: 5 of 90 test faces"
    )
    assert cells[3] == f"{ours['mean']:.3f} ± {ours['std']:.3f}"
    assert "No longer in the file" in page and "stages.benchmark.studies b`: waits" in page
    assert "2 runs: fold 0; seeds 0, 1; 90 test faces of 30 groups" in page and "`model=cnn5`" in page
    assert f"from commit {'a' * 12}, {'b' * 12}." in page and "Of earlier settings" not in page
    assert "Every study is done" in render_studies({"a": study.model_dump()}, results, [])
    assert "**Of earlier settings.**" in render_studies(studies, results, ["a", "b"])
    misspelt = study.model_copy(update={"original": [study.original[0].model_copy(update={"metric": "test.acuracy"})]})
    with pytest.raises(InputError, match="studies.a.original: its result has no metric 'test.acuracy': did you mean"):
        render_studies({"a": misspelt.model_dump()}, results, [])


def test_the_page_of_this_project_is_that_of_its_results():
    studies = read_studies(ROOT / FILE)
    results = json.loads((ROOT / "metrics/studies.json").read_text())
    page = render_studies(
        {name: study.model_dump() for name, study in studies.items()}, results, list(not_done(studies, results, True))
    )
    assert page == (ROOT / "metrics/studies.md").read_text()


# The command


@pytest.mark.parametrize(("options", "line"), [
    (("fer2014",), "fer2014: no study has this name"), (("--pages",), "unrecognized arguments"),
])  # fmt: skip
def test_what_is_no_study_is_refused(project: Project, options: tuple[str, ...], line: str):
    done = project.run(*STUDIES, *options)
    assert done.returncode and line in done.stderr and not (project.folder / "metrics/studies.md").exists()


def test_a_result_on_real_faces_is_not_replaced_by_one_on_drawn_faces(project: Project):
    results = project.folder / "metrics/studies.json"
    results.parent.mkdir(exist_ok=True)
    results.write_bytes((ROOT / "metrics/studies.json").read_bytes())
    done = project.run(*STUDIES, "fer2013-cnn5")
    assert done.returncode == 1 and "ERROR: fer2013-cnn5: metrics/studies.json has its result on real" in done.stderr
    assert results.read_bytes() == (ROOT / "metrics/studies.json").read_bytes()


@pytest.mark.parametrize(
    ("study", "start"),
    [("sfew-dlib_face-web", "start-dlib_face"), ("fer2013-mini_mobilenet-distilled", "fer2013-resnet18_small")],
)
def test_a_study_whose_start_or_teacher_was_not_run_is_refused(project: Project, study: str, start: str):
    project.ok("git", "init", "-q")
    done = project.run(*STUDIES, study)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.endswith(f"the model of {start}-0, which was not run here; run {start} first\n")


def test_the_page_is_written_without_running_anything(project: Project):
    project.ok(*STUDIES, "--page")
    names = read_studies(ROOT / FILE)
    page = (project.folder / "metrics/studies.md").read_text()
    assert all(f"`python -m stages.benchmark.studies {name}`" in page for name in names)
    assert not (project.folder / "metrics/studies.json").exists()


SMALL = """
recipes: {quick: {train.lr: 0.003, augment.balance: 0}}
studies:
  folds: {about: folds, recipe: quick, settings: {model: cnn5, split.protocol: cross_validation}, folds: [0, 1, 2]}
  leaks: {about: leaks, recipe: quick, settings: {model: cnn5, split.by: faces}}
  next: {about: goes on, settings: {model: cnn5, train.init: leaks-0, train.allow_seen_test: true}}
  wrong: {about: impossible, settings: {model: cnn5, train.init: nothing-0}}
  both: {about: two, ensemble: [leaks]}
"""


@pytest.mark.slow
def test_studies_that_were_killed_go_on_and_a_finished_one_is_not_repeated(project: Project):
    (project.folder / FILE).write_text(SMALL)
    small(project)
    project.ok("dvc", "repro", "-q")
    commit(project)
    with subprocess.Popen(STUDIES, cwd=project.folder, env=ENVIRONMENT, stderr=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, start_new_session=True) as process:  # fmt: skip
        while len(made := project.ok("git", "for-each-ref", "refs/exps/??/*/*").splitlines()) < 2:
            assert process.poll() is None
            time.sleep(0.2)
        at_work(process.pid)
        os.killpg(process.pid, signal.SIGKILL)
    lock = LockFile(str(project.folder / ".dvc/tmp/lock"))  # as another study holds it while it begins
    Timer(10, lock.close).start()
    done = project.run(*STUDIES)
    assert done.returncode == 1 and "ERROR: wrong: train.init: 'nothing-0' is neither" in done.stderr
    assert project.ok("git", "for-each-ref", "refs/exps/??/*/*").splitlines()[: len(made)] != []
    names = project.ok("dvc", "exp", "list", "--name-only").split()
    assert sorted(names) == ["folds-0", "folds-1", "folds-2", "leaks-0", "next-0"]
    assert project.ok("git", "status", "--short").split() == ["??", "metrics/studies.json", "??", "metrics/studies.md"]
    results = json.loads((project.folder / "metrics/studies.json").read_text())
    assert list(results) == ["both", "folds", "leaks", "next"]
    for number in range(3):
        reference = project.ok("git", "for-each-ref", "--format=%(refname)", f"refs/exps/??/*/folds-{number}").strip()
        metrics = json.loads(project.ok("git", "show", f"{reference}:metrics/metrics.json"))
        assert metrics["drawn_faces"] and metrics["test"]["faces"]
    assert results["folds"]["runs"] == 3 and results["leaks"]["leaks"]["faces"] > 0
    assert results["next"]["seen_test"]["faces"] > 0  # initial weights are found in a copy of the project
    assert results["both"]["metrics"]["test.accuracy"]["value"] == results["leaks"]["metrics"]["test.accuracy"]["value"]

    before = project.ok("git", "for-each-ref", "refs/exps/??/*/*"), results
    project.ok(*STUDIES, "folds", "both")
    assert (project.ok("git", "for-each-ref", "refs/exps/??/*/*"),
            json.loads((project.folder / "metrics/studies.json").read_text())) == before  # fmt: skip
    project.edit(FILE, ("train.lr: 0.003", "train.lr: 0.004"))
    done = project.run(*STUDIES, "folds")
    assert done.returncode == 1 and "folds-0 was made with a different models.cnn5" in done.stderr
    assert "dvc exp remove folds-0" in done.stderr
    project.ok("git", "update-ref", f"refs/exps/{'0' * 2}/{'0' * 38}/folds-0", "HEAD")
    done = project.run(*STUDIES, "folds")
    assert done.returncode == 1 and "folds-0: experiments from 2 commits have this name" in done.stderr
