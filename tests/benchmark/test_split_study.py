"""The study of splits: real trials as DVC experiments, gone on with; its figures; what it refuses."""

import json
import re
import statistics

import pytest

from helpers.project import Project
from helpers.repository import commit, small
from stages.base.errors import InputError
from stages.benchmark import split_study

STUDY = ("python", "-m", "stages.benchmark.split_study")


def test_means_deviations_and_half_widths_by_hand() -> None:
    def metrics(value: float, width: float) -> dict:
        part = {"macro_f1": value, "accuracy": 2 * value, "faces": 9}
        interval = {"interval": {"macro_f1": {"low": value - width, "high": value + width}}}
        return {
            "test": part | interval | {"per_dataset": {"drawn-ck48": part}, "coarse": part},
            "validation": part | {"per_dataset": {"drawn-ck48": part}},
            "temperature": 1.0,
        }

    values, summary = split_study.summarised(
        {"0": metrics(0.1, 0.02), "1": metrics(0.3, 0.04), "5": metrics(0.2, 0.06)}
    )
    names = [f"{part}.{data}{name}" for part in ("test", "validation") for data in ("", "per_dataset.drawn-ck48.")
             for name in ("macro_f1", "accuracy")]  # fmt: skip
    assert sorted(summary.index) == sorted(values.columns) == sorted(names)
    assert values["test.macro_f1"].to_dict() == {"0": 0.1, "1": 0.3, "5": 0.2}
    row = summary.loc["validation.per_dataset.drawn-ck48.accuracy"]
    assert row[:4].tolist() == pytest.approx([0.4, 0.2, 0.2, 0.6]) and row.isna()["half_width"]
    assert summary.loc["test.macro_f1", "half_width"] == pytest.approx(0.04)


@pytest.mark.slow
def test_a_study_of_two_splits_goes_on_with_a_third_and_leaves_the_project_as_it_is(project: Project) -> None:
    small(project)
    project.ok("dvc", "repro", "-q")
    commit(project)
    before = project.written()
    options = ("-S", "train.batch_size=64", "-S", "models.cnn5.lr=0.003")
    first = project.run(*STUDY, "--splits", "2", *options)
    assert first.returncode == 0 and "trial 1: validation macro-F1" in first.stderr, first.stderr
    names = project.ok("dvc", "exp", "list", "--name-only").split()
    assert sorted(names) == ["split-0", "split-1"]
    said = project.ok(*STUDY, "--splits", "3", *options)
    assert "drawn" in said and "cnn5 on 3 splits" in said
    study = json.loads((project.folder / "metrics/split_study.json").read_text())
    assert study["settings"] == {"train.batch_size": 64, "models.cnn5.lr": 0.003} and study["failed"] == []

    held_out = set()
    for seed in range(3):
        reference = project.ok("git", "for-each-ref", "--format=%(refname)", f"refs/exps/??/*/split-{seed}").strip()
        metrics = json.loads(project.ok("git", "show", f"{reference}:metrics/metrics.json"))
        assert study["splits"][str(seed)]["test.macro_f1"] == metrics["test"]["macro_f1"]
        ck48 = metrics["validation"]["per_dataset"]["drawn-ck48"]["accuracy"]
        assert study["splits"][str(seed)]["validation.per_dataset.drawn-ck48.accuracy"] == ck48
        held_out.add(project.ok("git", "show", f"{reference}:metrics/split.json"))
    assert len(held_out) == 3  # three splits
    found = [split["test.macro_f1"] for split in study["splits"].values()]
    assert study["summary"]["test.macro_f1"]["std"] == pytest.approx(statistics.stdev(found), abs=2e-6)
    assert "half_width" not in study["summary"]["test.macro_f1"]  # fewer than eight groups: no interval
    after = project.written()
    assert after.pop("metrics/split_study.json") and after == before

    done = project.run(*STUDY, "--splits", "3", "-S", "train.batch_size=64")  # another recipe
    assert done.returncode == 1 and "split-0 was made with a different models.cnn5, " in done.stderr
    project.edit("params.yaml", ("test_share: 0.2", "test_share: 0.3"))
    project.ok("dvc", "repro", "-q", "augment")
    assert "different split.test_share, " in project.run(*STUDY, "--splits", "3", *options).stderr


@pytest.mark.parametrize(("options", "line"), [
    (("--splits", "1"), "--splits: 1 is too few"), (("--name", "a/b"), "--name: 'a/b' cannot name experiments"),
    (("-S", "train.epochs"), "-S: 'train.epochs' must be <key>=<value>"),
    (("-S", "data.size=24"), "-S: 'data.size=24' must be <key>=<value>, with a key of model, "),
    (("-S", "split.seed=1"), "but not split.seed"), (("-S", "model.lr=1"), "model.lr: unknown key"),
    (("-S", "train.epoch=1"), "train.epoch: unknown key (value 1): did you mean 'epochs'?"),
    (("-S", "train.epochs=0"), "train.epochs: 0 is not allowed"), ((), "not a git repository"),
])  # fmt: skip
def test_what_cannot_be_studied_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], line: str
) -> None:
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr("sys.argv", ["split_study", *options])
    with pytest.raises(InputError, match=re.escape(line)):
        split_study.main()
    assert project.written().keys() == {"data/dvc.yaml", "data/exclude.csv", "data/fingerprints/local.json"}
