"""The report and the model card: metrics and texts, with complete and with missing inputs, and in a browser."""

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from ruamel.yaml import YAML

from helpers import saved
from helpers.browser import Browser
from helpers.project import Project
from helpers.tables import Tables, cell_text, cell_texts, decimals
from stages import report
from stages.base.errors import InputError
from stages.params.data import Dataset

LABELS = ["anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral"]
CURVES = "plots/training/plots/metrics"
METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "auroc")


class Run:
    """A project with made-up outputs of the other stages, and the report on them."""

    def __init__(self, project: Project, labels: list[str], sources: dict[str, bool], channels: int) -> None:
        self.project, self.labels, self.channels = project, labels, channels
        self.rng = np.random.default_rng(0)
        self.sources = sources
        self._config()
        self._counts()
        self._evaluation()
        self._training()
        self._pictures()

    def report(self, **environment: str) -> "Run":
        self.project.stage("report", **environment)
        self.page = (self.project.folder / "plots/report.html").read_text(encoding="utf-8")
        self.card = (self.project.folder / "data/model/README.md").read_text(encoding="utf-8")
        self.tables = Tables.of(self.page)
        return self

    def json(self, path: str) -> dict:
        return json.loads((self.project.folder / path).read_text())

    def table(self, path: str, separator: str = ",") -> pd.DataFrame:
        return pd.read_csv(self.project.folder / path, sep=separator)

    def write(self, path: str, content: object) -> None:
        file = self.project.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pd.DataFrame):
            content.to_csv(file, index=False, sep="\t" if path.endswith("tsv") else ",")
        else:
            file.write_text(json.dumps(saved.signed(**content) if file.name == "config.json" else content))

    def face(self, path: str, count: int = 1) -> None:
        shape = (24, 24 * count, 3) if self.channels == 3 else (24, 24 * count)
        file = self.project.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(self.rng.integers(0, 256, shape, dtype=np.uint8)).save(file)

    def share(self) -> float:
        return round(float(self.rng.random()), 6)

    def _config(self) -> None:
        described = {
            name: {
                "drawn": drawn,
                "files": {f"{name}.zip": f"{number:064x}"},
                "from": "somewhere",
                "version": "7",
                "licence": "CC0-1.0" if drawn else "see its own terms",
                "source": "local",
                "date": None if drawn else "2019-07-08",
            }
            for number, (name, drawn) in enumerate(self.sources.items())
        }
        self.write(
            "data/model/config.json",
            {
                "recipe": saved.recipe(init="random", epochs=9, lr=0.0123, precision="auto"),
                "seed": 3,
                "fold": 0,
                "validation_folds": 1,
                "labels": self.labels,
                "inputs": {"size": 24, "mean": [0.5] * self.channels, "std": [0.2] * self.channels, "per_face": False},
                "processes": 1,
                "data": {"data/split/index.csv": "e" * 64},
                "architecture": "cnn5",
                "channels": self.channels,
                "epoch": 2,
                "parameters": 12345,
                "sources": described,
                "drawn_faces": any(self.sources.values()),
                "device": "Abacus 3000",
                "precision": "bfloat16",
                "code": "c" * 64,
            },
        )
        self.write(
            "metrics/training.json",
            {
                "device": "Abacus 3000",
                "precision": "bfloat16",
                "processes": 2,
                "threads": 3,
                "seconds": 4321.0,
                "faces_per_second": 12345.6,
                "torch": "2.99",
            },
        )
        (self.project.folder / "data/model/weights.safetensors").write_bytes(b"weights")

    def _counts(self) -> None:
        self.write(
            "metrics/merge.json",
            {name: {"faces": 340, "rejected": {"label <odd> is not among data.labels": 21}} for name in self.sources},
        )
        self.write(
            "metrics/clean.json",
            {
                name: {
                    "faces": 340,
                    "duplicate_groups": 2,
                    "redundant_faces": 3,
                    "conflicting_groups": 1,
                    "conflicting_faces": 2,
                    "removed": {"duplicate": 5},
                    "kept": 335,
                }
                for name in self.sources
            },
        )
        part = dict.fromkeys(self.sources, 1234)
        self.write("metrics/split.json", {"groups": 86, "train": part, "test": part, "unused": {}, "excluded": {}})

    def _evaluation(self) -> None:
        faces = self.rng.integers(1, 30, (len(self.labels), len(self.labels)))
        pairs = pd.MultiIndex.from_product([self.labels, self.labels], names=["label", "prediction"])
        confusion = pairs.to_frame(index=False).assign(
            faces=faces.ravel(),
            recall=(faces / faces.sum(1, keepdims=True)).ravel().round(6),
            precision=(faces / faces.sum(0, keepdims=True)).ravel().round(6),
        )
        per_class = {
            label: {name: self.share() for name in ("precision", "recall", "f1", "auroc")}
            | {"faces": int(count), "groups": 8 + at, "interval": {"f1": {"low": 0.125 * at, "high": 0.125 * at + 0.1}}}
            for at, (label, count) in enumerate(zip(self.labels, faces.sum(1), strict=True))
        }
        test = self._metrics(int(faces.sum()), 22) | {
            name: self.share() for name in ("weighted_f1", "top2", "log_loss", "kappa", "ece", "ece_floor")
        }
        test |= {
            "calibrated": {name: self.share() for name in ("log_loss", "ece", "ece_floor")},
            "coarse": {name: self.share() for name in METRICS[:3]},
            "per_class": per_class,
            "per_dataset": {name: self._metrics(77, 9) for name in self.sources},
        }
        validation = {"faces": 1357} | {
            name: self.share() for name in (*METRICS, "weighted_f1", "top2", "log_loss", "kappa", "ece")
        }
        self.write(
            "metrics/metrics.json",
            {
                "test": test,
                "validation": validation,
                "temperature": 1.234567,
                "parameters": 12345,
                "drawn_faces": any(self.sources.values()),
            },
        )
        self.write("plots/evaluation/confusion.csv", confusion)
        bars = pd.DataFrame.from_dict(per_class, "index").rename_axis("label").reset_index()
        self.write("plots/evaluation/per_class.csv", bars[["label", "precision", "recall", "f1", "faces"]])
        steps = np.linspace(0, 1, 5)
        for name, curve in {
            "roc": {"fpr": steps, "tpr": steps**0.5},
            "precision_recall": {"recall": steps, "precision": 1 - steps},
        }.items():
            curves = [pd.DataFrame({"label": label, **curve}) for label in self.labels]
            self.write(f"plots/evaluation/{name}.csv", pd.concat(curves))
        self.write(
            "plots/evaluation/reliability.csv",
            pd.DataFrame(
                {
                    "probabilities": ["raw", "raw", "calibrated"],
                    "confidence": [0.4, 0.91, 0.8],
                    "accuracy": [0.5, 0.7, 0.75],
                    "faces": [11, 12, 23],
                }
            ),
        )
        self.write(
            "plots/evaluation/probabilities.csv",
            pd.DataFrame(
                {
                    "outcome": ["right", "right", "wrong", "wrong"],
                    "probability": [0.25, 0.75] * 2,
                    "faces": [10, 200, 30, 4],
                }
            ),
        )

    def _metrics(self, faces: int, groups: int) -> dict:
        values = {name: self.share() for name in METRICS}
        interval = {
            name: {"low": round(value / 2, 6), "high": round((value + 1) / 2, 6)} for name, value in values.items()
        }
        calibration = {name: self.share() for name in ("ece", "ece_floor")}
        calibration["calibrated"] = {name: self.share() for name in ("ece", "ece_floor")}
        few = {"warning": f"only {groups} groups: take care"} if groups < 12 else {}
        return {"faces": faces, "groups": groups, **values, **calibration, "interval": interval, **few}

    def _training(self) -> None:
        for part in ("train", "validation"):
            for name in ("loss", *METRICS):
                rows = pd.DataFrame({"step": range(4), name: self.rng.random(4)})
                self.write(f"{CURVES}/{part}/{name}.tsv", rows)
        self.write(f"{CURVES}/lr.tsv", pd.DataFrame({"step": range(4), "lr": self.rng.random(4) / 1000}))

    def _pictures(self) -> None:
        parts = [
            (name, part, label, 7 + at)
            for name in self.sources
            for part in ("train", "test")
            for at, label in enumerate(self.labels)
        ]
        self.write("plots/explore/classes.csv", pd.DataFrame(parts, columns=["dataset", "part", "label", "faces"]))
        light = [
            (name, quantity, value, 0.25)
            for name in self.sources
            for quantity in ("brightness", "sharpness")
            for value in (10, 20, 30, 40)
        ]
        self.write("plots/explore/light.csv", pd.DataFrame(light, columns=["dataset", "quantity", "value", "share"]))
        strips = [
            ("r.png", "random", "fear", 3, 40),
            ("m.png", "mean", "fear", 1, 40),
            ("n.png", "mean", "surprise", 1, 1234),
            ("c.png", "copies", "fear", 4, 5),
            ("d.png", "removed", "duplicate", 2, 5),
        ]
        for file, _, _, shown, _ in strips:
            self.face(f"plots/faces/{file}", shown)
        self.write("plots/faces/strips.csv", pd.DataFrame(strips, columns=["file", "kind", "name", "shown", "of"]))
        first = next(iter(self.sources))
        explained = [
            ("grid", 1, first, "anger", "fear", 0.75, "a.png", ""),
            ("mistake", 1, first, "anger", "fear", 0.75, "a.png", "m.png"),
            ("right", 2, first, "fear", "fear", 0.5, "b.png", "n.png"),
            ("distorted", 3, first, "fear", "", None, "c.png", ""),
            ("distorted", 3, first, "fear", "", None, "d.png", ""),
        ]
        for file in "abcdmn":
            self.face(f"plots/explained/{file}.png")
        columns = ["kind", "id", "dataset", "label", "prediction", "probability", "face", "map"]
        self.write("plots/explained/faces.csv", pd.DataFrame(explained, columns=columns))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two drawn data sets, seven labels, and every input of the report."""
    project = Project.copy(tmp_path_factory.mktemp("report") / "project")
    return Run(project, LABELS, {"drawn-ck48": True, "drawn-sfew": True}, 1).report()


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One real data set in colour, eight labels, no mistakes, and without every input that can be missing."""
    run = Run(Project.copy(tmp_path_factory.mktemp("odd") / "project"), [*LABELS, "contempt"], {"sfew": False}, 3)
    metrics = run.json("metrics/metrics.json")
    for part in (metrics["test"], metrics["test"]["per_dataset"]["sfew"], *metrics["test"]["per_class"].values()):
        part.pop("auroc")
        part.pop("interval", None)
    del metrics["test"]["coarse"], metrics["test"]["kappa"]
    run.write("metrics/metrics.json", metrics)
    for name in ("roc", "precision_recall"):
        run.write(f"plots/evaluation/{name}.csv", run.table(f"plots/evaluation/{name}.csv")[:0])
    confusion = run.table("plots/evaluation/confusion.csv")
    confusion.loc[confusion.label != confusion.prediction, ["faces", "recall", "precision"]] = 0
    run.write("plots/evaluation/confusion.csv", confusion)
    for part in ("train", "validation"):
        (run.project.folder / f"{CURVES}/{part}/auroc.tsv").unlink()
    for path in ("plots/faces/strips.csv", "plots/explained/faces.csv"):
        run.write(path, run.table(path)[:0])
    run.write(
        "metrics/clean.json",
        {
            "sfew": {
                "faces": 340,
                "duplicate_groups": 0,
                "redundant_faces": 0,
                "conflicting_groups": 0,
                "conflicting_faces": 0,
                "removed": {},
                "test_faces_also_in_train": 6,
                "kept": 340,
            }
        },
    )
    run.write("metrics/split.json", run.json("metrics/split.json") | {"excluded": {"sfew": 7}})
    merged = {
        "faces": 340,
        "rejected": {},
        "more_than_published": {"all/fear": -2},
        "missing": ["the official test part"],
    }
    run.write("metrics/merge.json", {"sfew": merged})
    return run.report()


def test_the_summary_shows_the_metrics(run: Run):
    test = run.json("metrics/metrics.json")["test"]
    tiles = re.findall(r"<dd><strong>(.*?)</strong>\s*<span>95&nbsp;% interval\s+(.*?) to (.*?)</span>", run.page)
    assert tiles == [
        (
            decimals(test[name]),
            decimals(test["interval"][name]["low"]),
            decimals(test["interval"][name]["high"]),
        )
        for name in METRICS
    ]
    right = round(test["accuracy"] * test["faces"])
    assert f"<strong>{right:,} of {test['faces']:,}</strong>" in " ".join(run.page.split())
    assert f"{test['accuracy']:.1%}".replace("%", "\u202f%") in run.page
    worst = run.table("plots/evaluation/confusion.csv").query("label != prediction").sort_values("faces").iloc[-1]
    assert re.search(rf"most frequent are\s+{worst.label} predicted as {worst.prediction} \({worst.faces} of", run.page)


def test_the_tables_show_the_metrics(run: Run):
    metrics = run.json("metrics/metrics.json")
    test = metrics["test"]
    rows = run.tables["Metrics of all test faces and of each data set, with 95 % intervals"]
    assert rows[1:] == [
        [name, f"{part['faces']:,}", str(part["groups"])]
        + [
            f"{decimals(part[key])} {' to '.join(decimals(end) for end in part['interval'][key].values())}"
            for key in METRICS
        ]
        for name, part in {"all": test, **test["per_dataset"]}.items()
    ]
    assert run.tables["Metrics of each class"][1:] == [
        [
            *(label, str(row["faces"]), str(row["groups"]), decimals(row["precision"]), decimals(row["recall"])),
            f"{decimals(row['f1'])} {' to '.join(decimals(end) for end in row['interval']['f1'].values())}",
            decimals(row["auroc"]),
        ]
        for label, row in test["per_class"].items()
    ]
    assert run.tables["Expected calibration error of all test faces and of each data set, with its floor"][1:] == [
        [name, f"{part['faces']:,}"]
        + [decimals(one[key]) for one in (part, part["calibrated"]) for key in ("ece", "ece_floor")]
        for name, part in {"all": test, **test["per_dataset"]}.items()
    ]
    names = ("weighted_f1", "top2", "kappa", "log_loss", "ece")
    assert [row[1:] for row in run.tables["Other metrics of the test and validation faces"][1:]] == [
        [decimals(test[name]), decimals(metrics["validation"][name])] for name in names
    ]
    text = " ".join(run.page.split())
    assert f"accuracy is {decimals(test['coarse']['accuracy'])}, balanced" in text
    assert f"temperature {decimals(metrics['temperature'])}, which" in text


def test_best_and_worst_are_told_with_their_intervals(run: Run, odd: Run, tmp_path: Path):
    text = " ".join(run.page.split())
    rows = run.json("metrics/metrics.json")["test"]["per_class"]
    order = sorted(rows, key=lambda label: rows[label]["f1"])

    def told(label: str) -> str:
        row = rows[label]
        return f"“{label}”, {decimals(row['f1'])} ({' to '.join(decimals(x) for x in row['interval']['f1'].values())})"

    assert f"F1 is highest for {told(order[-1])}, and lowest for {told(order[0])}" in text
    other = copy(run, tmp_path / "project")
    metrics = other.json("metrics/metrics.json")
    for apart, low in ((False, 0.2), (True, 0.3)):
        metrics["test"]["per_class"][order[0]]["interval"] = {"f1": {"low": 0.1, "high": 0.25}}
        metrics["test"]["per_class"][order[-1]]["interval"] = {"f1": {"low": low, "high": 0.9}}
        other.write("metrics/metrics.json", metrics)
        classes = re.search(r"<strong>Classes.*?</li>", " ".join(other.report().page.split()))
        assert ("the intervals overlap, so this order may be due to chance" in classes[0]) == (not apart)
    assert "not both have enough groups for an interval" in odd.page


def test_what_intervals_cover_and_few_groups_are_told(run: Run, odd: Run):
    for text in (run.page, run.card):
        assert "do not cover training with another seed, another split, or faces from other sources" in flat(text)
        assert "one person can be in several groups, and the intervals can be too narrow" in flat(text)
        assert "a perfectly calibrated model would have at least about" in flat(text)
    assert "too narrow" not in odd.page + odd.card  # they have no interval
    assert "Drawn-ck48: only 9 groups: take care." in flat(run.page) and "only 22 groups: take care" not in run.page


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_confusion_matrices_show_the_table(run: Run):
    confusion = run.table("plots/evaluation/confusion.csv")
    columns = {"By count": ("faces", 1), "By true class": ("recall", 100), "By predicted class": ("precision", 100)}
    for title, (name, scale) in columns.items():
        rows = run.tables[f"Confusion matrix, {title}: true classes in rows, predicted classes in columns"]
        assert rows[0][1:] == LABELS and [row[0] for row in rows[1:]] == LABELS
        shown = [cell for row in rows[1:] for cell in row[1:]]
        assert shown == [f"{value * scale:.0f}" for value in confusion[name]]


def test_each_chart_has_a_table_of_its_numbers(run: Run):
    for name, title in {"loss": "Loss", "accuracy": "Accuracy", "macro_f1": "Macro-F1", "auroc": "AUROC"}.items():
        parts = {part: run.table(f"{CURVES}/{part}/{name}.tsv", "\t")[name] for part in ("train", "validation")}
        assert run.tables[f"Numbers of {title}"][1:] == cell_texts(pd.DataFrame({"epoch": range(1, 5), **parts}))
    rate = run.table(f"{CURVES}/lr.tsv", "\t")
    assert run.tables["Numbers of Learning rate"][1:] == cell_texts(rate.assign(step=rate.step + 1))
    assert run.tables["Numbers of Precision, recall and F1"][1:] == cell_texts(
        run.table("plots/evaluation/per_class.csv")
    )
    assert run.tables["Numbers of drawn-ck48"] == [["label", "train", "test", "all"]] + [
        [label, str(7 + at), str(7 + at), str(14 + 2 * at)] for at, label in enumerate(LABELS)
    ]
    test = run.json("metrics/metrics.json")["test"]
    rows = [
        [name, cell_text(part["accuracy"]), *(cell_text(part["interval"]["accuracy"][end]) for end in ("low", "high"))]
        for name, part in {"all": test, **test["per_dataset"]}.items()
    ]
    assert run.tables["Numbers of Accuracy and its interval"][1:] == rows
    assert run.tables["Numbers of Brightness"][1] == ["10", "0.25", "0.25"]
    assert run.tables["Numbers of Probabilities"][1:] == [["0.25", "10", "30"], ["0.75", "200", "4"]]
    assert run.tables["Numbers of Reliability"][3] == ["after scaling", "0.8", "0.75", "23"]
    assert run.tables["Numbers of ROC"][1] == ["anger", "0", "0", "0", "0", cell_text(0.5**0.5)]


def test_rejected_and_removed_faces_are_counted_by_reason(run: Run, odd: Run):
    assert run.tables["Images and faces of each data set, from the archive to the faces that are kept"][1:] == [
        ["date of the data", "drawn", "drawn"],
        ["in the archive", "361", "361"],
        ["label <odd> is not among data.labels", "−21", "−21"],
        ["duplicate", "−5", "−5"],
        ["kept", "335", "335"],
    ]
    assert odd.tables["Faces of each data set in each part of the split"][-1] == ["excluded", "7"]
    assert "Excluded faces are listed in" in odd.page and "Excluded faces" not in run.page
    assert "Test images of sfew that are also in the training part of its archive: 6." in flat(odd.page)
    assert "all/fear -2 faces" in odd.page


def test_page_and_card_begin_with_what_is_missing_in_the_data(run: Run, odd: Run):
    lack = "Incomplete data.</strong> sfew lacks the official test part"
    assert lack in odd.page.partition('id="summary"')[0] and "Incomplete data" not in run.page + run.card
    assert lack.replace("</strong>", "**") in odd.card.partition("## Intended use")[0]


def test_faces_are_on_the_page_only_if_report_faces_is_true(run: Run, tmp_path: Path):
    assert run.page.count("data:image/png") == 3 + 2 + 4 + 2 + 1 + 2 + 2 + 2  # strips, grid, mistake, right, distorted
    without = copy(run, tmp_path / "project")
    without.project.edit("params.yaml", ("faces: true", "faces: false"))
    without.report()
    assert "data:image" not in without.page and "<img" not in without.page
    assert "This page shows no faces" in without.page and "This page shows no faces" not in run.page
    assert without.tables["The most confident mistakes"][1:] == [["1", "drawn-ck48", "anger", "fear", "0.750"]]


def test_the_same_inputs_give_the_same_bytes(run: Run, tmp_path: Path):
    again = copy(run, tmp_path / "elsewhere").report(PYTHONHASHSEED="1", TZ="Asia/Tokyo", LANG="C")
    assert (again.page, again.card) == (run.page, run.card)
    assert str(run.project.folder) not in run.page


def copy(run: Run, folder: Path) -> Run:
    """Return a copy of the run in another folder."""
    shutil.copytree(run.project.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
    other = object.__new__(Run)
    other.project = Project(folder)
    return other


def test_the_page_and_the_card_name_drawn_faces(run: Run, odd: Run):
    assert "They say nothing about people." in " ".join(run.page.split())
    assert "they say nothing about people" in run.card and "CC0" in run.card
    assert "say nothing about people" not in odd.page + odd.card


def test_the_page_and_the_card_begin_with_what_the_split_leaks(run: Run, tmp_path: Path):
    leaking = copy(run, tmp_path / "project")
    leaking.write("metrics/metrics.json", leaking.json("metrics/metrics.json") | {"leaks": {"faces": 1186, "of": 2647}})
    leaking.project.edit("params.yaml", ("by: groups", "by: faces"))
    page, card = (flat(text) for text in (leaking.report().page, leaking.card.replace("> ", "")))
    told = "1,186 of 2,647 test faces have a training face of the same subject, sequence or near-duplicate"
    assert page.index(told) < page.index("Always predicting") and card.index(told) < card.index("## Intended use")
    assert "no group is in more than one" not in page and "Single faces were dealt to the parts" in card
    assert "in the same part of the split" not in card and "no group is in more than one of" in flat(run.page)
    assert "none of which is among" not in page
    assert "leaks" not in run.page + run.card and "in the same part of the split" in flat(run.card)


def test_the_page_and_the_card_tell_that_official_parts_are_as_published(odd: Run, tmp_path: Path):
    assert "its archive: 6. The copies in the training part are removed." in flat(odd.page)
    other = copy(odd, tmp_path / "project")
    other.project.edit("params.yaml", ("protocol: held_out", "protocol: official"), ("by: groups", "by: faces"))
    other.project.edit("params.yaml", ("whole_parts: false", "whole_parts: true"))
    page, card = (flat(text) for text in (other.report().page, other.card))
    assert "its archive: 6. The copies in the training part are kept." in page
    assert "the official parts are as published, so that groups are in more than one of training" in page
    assert "The official parts are as published, so that faces of one subject" in card
    assert "dealt" not in page + card and "removed outside official parts" in card


def test_the_page_tells_of_official_validation(run: Run, tmp_path: Path):
    other = copy(run, tmp_path / "project")
    other.project.edit("params.yaml", ("protocol: held_out", "protocol: official"))
    page = flat(other.report().page)
    assert "The official validation part, or fold 0 of the 5 folds" in page and "official validation" not in run.page


def test_the_page_and_the_card_begin_with_test_faces_seen_in_training(run: Run, tmp_path: Path):
    known = copy(run, tmp_path / "project")
    seen = {"faces": 1186, "of": 2647, "same_image": 1000, "near_duplicate": 2, "same_group": 184, "datasets": {}}
    known.write("metrics/metrics.json", known.json("metrics/metrics.json") | {"seen_test": seen})
    config = known.json("data/model/config.json")
    recipe = config["recipe"] | {"init": "elsewhere", "teachers": ["one", "another"]}
    known.write("data/model/config.json", config | {"recipe": recipe})
    page, card = (" ".join(text.split()) for text in (known.report().page, known.card))
    assert "Training started from elsewhere, learned what one and another predicted and ran for up to" in page
    told = "started or learned from were trained on at least 1,186 of the 2,647 faces by which this model is tested"
    assert f"{told} (1,000 the same image, 2 a near-duplicate, 184 of the same subject, film or group)." in page
    assert page.index(told) < page.index("Drawn faces.") < page.index("Always predicting")
    assert told.replace("at", "at >", 1).replace("tested", "tested. > The metrics below can be too high.") in card
    assert card.index("seen in training") < card.index("## Intended use")
    assert "none of which is among" not in page
    assert "none of which is among the training and validation faces" in flat(run.page)
    assert "seen in training" not in run.page + run.card


def test_the_page_and_the_card_tell_of_validation_faces_seen_in_training(run: Run, tmp_path: Path):
    known = copy(run, tmp_path / "project")
    seen = {"faces": 1186, "of": 2647, "same_image": 1000, "near_duplicate": 2, "same_group": 184, "datasets": {}}
    known.write("metrics/metrics.json", known.json("metrics/metrics.json") | {"seen_validation": seen})
    told = "were trained or validated on at least 1,186 of the 2,647 validation faces, so that"
    for text in (known.report().page, known.card):
        assert told in " ".join(text.split())
    assert "trained or validated on" not in run.page + run.card


def test_missing_inputs_are_named_or_left_out(odd: Run):
    text = " ".join(odd.page.split())
    assert "There are no intervals, because the test faces form only 22 groups" in text
    assert "sfew has too few groups (9) for an interval." in text and "95&nbsp;% interval" not in odd.page
    assert text.count("every test face was predicted correctly.") == 2
    assert "Every test face was predicted correctly." in odd.card
    row = odd.tables["Metrics of all test faces and of each data set, with 95 % intervals"][1]
    assert row[-1] == "– –" and "nan" not in odd.page.lower() and "None" not in odd.page
    assert (
        odd.tables["Confusion matrix, By count: true classes in rows, predicted classes in columns"][0][-1]
        == "contempt"
    )
    assert (
        "colour image of 24 × 24 pixels" in text
        and "Numbers of AUROC" not in odd.tables
        and "Numbers of ROC" not in odd.tables
    )


CK48 = "test.per_dataset.drawn-ck48"
EDITS = {
    "no test": ("metrics/metrics.json", lambda content: content.pop("test"), "test: missing"),
    "text": ("metrics/metrics.json", lambda content: content["test"]["per_dataset"]["drawn-ck48"].update(accuracy="a"),
             f"{CK48}.accuracy: 'a' is not allowed"),
    "list": ("metrics/metrics.json", lambda content: content["test"].update(per_dataset=[]), "test.per_dataset: []"),
    "label": ("metrics/metrics.json", lambda content: content["test"]["per_class"].pop("fear"), "fear is missing here"),
    "data set": ("metrics/merge.json", lambda content: content.pop("drawn-sfew"), "drawn-sfew is missing here"),
    "number": ("metrics/merge.json", lambda content: content.update({"drawn-sfew": 3}), "drawn-sfew: 3 is not allowed"),
    "kept": ("metrics/clean.json", lambda content: content["drawn-ck48"].pop("kept"), "drawn-ck48.kept: missing"),
    "groups": ("metrics/split.json", lambda content: content.update(groups=None), "groups: None is not allowed"),
    "seconds": ("metrics/training.json", lambda content: content.pop("seconds"), "seconds: missing"),
    "config": ("data/model/config.json", lambda content: content.update(epoch=3), "was changed after it was written"),
    "no column": ("plots/evaluation/confusion.csv", lambda table: table.drop(columns="recall"),
                  "recall: this column is missing"),
    "no number": ("plots/evaluation/per_class.csv", lambda table: table.assign(f1="high"), "f1: damaged"),
    "no finite": ("plots/evaluation/roc.csv", lambda table: table.assign(tpr="1e999"), "tpr: damaged"),
    "no label": ("plots/evaluation/roc.csv", lambda table: table.assign(label="joy"), "'joy' is not one of"),
    "no curve": (f"{CURVES}/lr.tsv", lambda table: table.drop(columns="step"), "step: this column is missing"),
    "no strip": ("plots/faces/strips.csv", lambda table: table.assign(shown=""), "shown: damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_a_file_that_was_edited_by_hand_is_named_with_its_key(run: Run, name: str, monkeypatch: pytest.MonkeyPatch):
    file, edit, message = EDITS[name]
    path = run.project.folder / file
    before = path.read_bytes()
    if path.suffix == ".json":
        content = json.loads(before)
        edit(content)
        path.write_text(json.dumps(content))
    else:
        run.write(file, edit(run.table(file, "\t" if path.suffix == ".tsv" else ",")))
    monkeypatch.chdir(run.project.folder)
    try:
        with pytest.raises(InputError) as caught:
            report.main()
    finally:
        path.write_bytes(before)
    assert str(caught.value).startswith(f"{path.relative_to(run.project.folder)}: ") and message in str(caught.value)


def test_the_page_is_self_contained(run: Run, odd: Run):
    for page in (run.page, odd.page):
        assert not re.search(r"https?:|<script|@import", page)
        assert all(link.startswith(("#", "data:")) for link in re.findall(r'(?:src|href)="(.*?)"', page))
        ids = re.findall(r'\bid="(.*?)"', page)
        assert len(ids) == len(set(ids))
        assert not re.search("#0[0-9a-f]{5}", page)  # a placeholder that was not replaced by a colour


def test_how_to_repeat_it(run: Run, odd: Run):
    assert ["train.lr", "0.0123"] in run.tables["Parameters of this run"]
    assert ["split.folds", "5"] in run.tables["Parameters of this run"]
    rows = run.tables["SHA-256 of the code, archives, indexes and weights"][1:]
    weights = hashlib.sha256(b"weights").hexdigest()
    assert [row[-1] for row in rows] == ["c" * 64, f"{0:064x}", f"{1:064x}", "e" * 64, weights]
    rows = run.tables["Versions and hardware"]
    assert ["device of the training", "Abacus 3000, 2 processes"] in rows and ["torch of the training", "2.99"] in rows
    assert ["CPU threads of the training", "3"] in rows
    text = " ".join(run.page.split())
    assert text.count("Expect identical metrics only on the same kind of hardware with the same versions") == 2
    assert "<code>train.precision: auto</code> chose bfloat16 for Abacus 3000" in text
    config = odd.json("data/model/config.json")
    odd.write("data/model/config.json", config | {"recipe": config["recipe"] | {"precision": "float32"}})
    assert "train.precision: auto" not in odd.report().page


def test_device_precision_duration_dates_and_validation_faces(run: Run, odd: Run, tmp_path: Path):
    assert run.tables["Training in numbers"][1:] == [
        ["Device", "Abacus 3000, 2 processes"],
        ["Precision", "bfloat16"],
        ["Duration", "72 min"],
        ["Speed", "12,346 faces/s"],
        ["Validation faces", "1,357"],
    ]
    assert "Trained in 72 min on Abacus 3000 in bfloat16" in " ".join(run.page.split())
    assert "Trained on Abacus 3000 in bfloat16" in run.card
    caption = "Images and faces of each data set, from the archive to the faces that are kept"
    assert odd.tables[caption][1] == ["date of the data", "2019-07-08"] and "date: 2019-07-08" in odd.card
    other = copy(odd, tmp_path / "project")
    config = other.json("data/model/config.json")
    config["sources"]["sfew"] |= {"date": None, "from": "a_b<img src=x>[c](d)`$e$|.zip\n# heading"}
    other.write("data/model/config.json", config)
    assert other.report().tables[caption][1] == ["date of the data", "not known"] and "date: not known" in other.card
    # The name of an archive is shown as it is, and is no Markdown and no HTML.
    assert r"from: a\_b&lt;img src=x&gt;\[c\](d)\`\$e\$\|.zip\\n# heading, version" in other.card


# The card


@pytest.mark.parametrize("which", ["run", "odd"])
def test_the_metadata_of_the_card(which: str, request: pytest.FixtureRequest):
    run = request.getfixturevalue(which)
    head = YAML(typ="safe").load(run.card.split("---\n")[1])
    real = which == "odd"
    assert head["license"] == ("other" if real else "cc0-1.0") and head["pipeline_tag"] == "image-classification"
    assert head["datasets"] == list(run.sources)
    test = run.json("metrics/metrics.json")["test"]
    names = {"accuracy": "accuracy", "f1": "macro_f1", "roc_auc": "auroc"}
    results = {entry["dataset"]["name"]: entry["metrics"] for entry in head["model-index"][0]["results"]}
    for name, part in {"all": test, **test["per_dataset"]}.items():
        found = {names[metric["type"]]: metric["value"] for metric in results[name]}
        assert found == {key: part[key] for key in names.values() if key in part}


def test_the_example_of_the_card_imports_what_exists(run: Run):
    imports = re.findall("^from stages.*$", run.card, re.MULTILINE)
    assert len(imports) == 1
    exec("\n".join(imports))


def test_the_card_shows_the_metrics_and_the_limits(run: Run, odd: Run):
    test = run.json("metrics/metrics.json")["test"]
    for name, part in {"all": test, **test["per_dataset"]}.items():
        ranges = {key: [decimals(part["interval"][key][end]) for end in ("low", "high")] for key in METRICS}
        values = [f"{decimals(part[key])} ({' to '.join(ranges[key])})" for key in METRICS]
        assert f"| {' | '.join([name, str(part['faces']), str(part['groups']), *values])} |" in run.card
    for label, row in test["per_class"].items():
        assert f"| {label} | {row['faces']} | {decimals(row['precision'])} | {decimals(row['recall'])} |" in run.card
    assert "logits by 1.234567" in flat(run.card)
    text = " ".join(odd.card.split())
    assert "Treat the weights as subject to the terms of all these data sets" in text
    assert "may not be passed on" in text and "SFEW does not name its actors" in text
    assert "too few groups for intervals" in text and "not for decisions about people" in text


def test_the_card_describes_every_data_set(tmp_path: Path):
    names = get_args(Dataset)
    card = Run(Project.copy(tmp_path / "project"), LABELS, dict.fromkeys(names, False), 1).report().card
    for name in names:
        assert re.search(rf"^- \*\*{name}\*\* .*\n  \w.{{50}}", card, re.MULTILINE), name
    people = re.search(r"\*\*People\.\*\*(.*?)An interval", flat(card))[1]
    assert people.count(";") == len(names) - 1


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize(
    ("recipe", "how"),
    [
        ({"init": "imagenet"}, "started from other weights (imagenet)"),
        ({"teachers": ["a", "b"]}, "learned from other models (a, b)"),
        ({"init": "c", "teachers": ["a"]}, "started from other weights (c) and learned from other models (a)"),
    ],
)
def test_the_card_does_not_license_weights_that_others_trained(
    real: bool, recipe: dict, how: str, run: Run, odd: Run, tmp_path: Path
) -> None:
    before = odd if real else run
    assert "other weights" not in before.card
    other = copy(before, tmp_path / "project")
    config = other.json("data/model/config.json")
    other.write("data/model/config.json", config | {"recipe": config["recipe"] | recipe})
    card = other.report().card
    head = YAML(typ="safe").load(card.split("---\n")[1])
    assert head["license"] == "other" and head["license_name"]
    assert f"Training {how}, whose terms apply too." in flat(card)


# In a browser without network


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["run", "odd"])
def test_the_page_in_a_browser(which: str, scheme: str, width: int, browser: Browser, request: pytest.FixtureRequest):
    file = request.getfixturevalue(which).project.folder / "plots/report.html"
    with browser.opened(file, scheme, width) as page:
        assert page.errors == [] and page.requests == [file.as_uri()]
        assert page.overflow() == 0
        charts = page.boxes("figure.chart svg")
        assert len(charts) >= 13 and all(0 < box["width"] <= width and box["height"] > 50 for box in charts)
        assert all(box["width"] > 0 for box in page.boxes("img"))
        assert page.violations() == []
        page.tab.keyboard.press("Tab")
        assert page.tab.evaluate("document.activeElement.className") == "skip"


def test_wide_tables_show_that_they_scroll(run: Run, browser: Browser):
    file = run.project.folder / "plots/report.html"
    with browser.opened(file, "light", 390) as page:
        regions = page.scroll_regions()
        assert sum(region["wide"] for region in regions) >= 2 and not all(region["wide"] for region in regions)
        for region in regions:
            assert region["hint"] == region["wide"] and region["label"] and region["focusable"], region
        region = page.tab.locator(".scroll[aria-label^='Metrics of all test faces']")
        region.focus()
        page.tab.keyboard.press("ArrowRight")
        page.tab.wait_for_function("element => element.scrollLeft > 0", arg=region.element_handle(), timeout=5000)
    with browser.opened(file, "light", 1600) as page:
        assert not any(region["hint"] or region["wide"] for region in page.scroll_regions())


def test_mean_faces_are_aligned(run: Run, browser: Browser):
    with browser.opened(run.project.folder / "plots/report.html", "light", 390) as page:
        tops = [box["y"] for box in page.boxes(".strips.mean img")]
        assert len(tops) == 2 and tops[0] == tops[1]


def test_the_page_follows_the_colour_scheme(run: Run, browser: Browser):
    def colours(scheme: str) -> list[str]:
        style = "getComputedStyle(document.querySelector(%r)).%s"
        with browser.opened(run.project.folder / "plots/report.html", scheme, 390) as page:
            return [page.tab.evaluate(style % rule) for rule in (("body", "backgroundColor"), ("svg text", "fill"))]

    light, dark = colours("light"), colours("dark")
    assert light[0] != dark[0] and light[1] != dark[1]
