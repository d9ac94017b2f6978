"""The report and the model card: every figure as it was measured, and a page that holds whatever is missing."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from ruamel.yaml import YAML

from helpers.browser import Browser
from helpers.project import Project
from helpers.tables import Tables, cells, exact, three
from stages.reporting.provenance import tree_id

LABELS = ["anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral"]
CURVES = "plots/training/plots/metrics"
FIGURES = ("accuracy", "balanced_accuracy", "macro_f1", "auroc")


class Run:
    """What the other stages leave behind, made up: a project to run `report` in, and what it says."""

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
            file.write_text(json.dumps(content))

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
            }
            for number, (name, drawn) in enumerate(self.sources.items())
        }
        self.write(
            "data/model/config.json",
            {
                "recipe": {"init": "random", "epochs": 9, "lr": 0.0123, "test_flips": False},
                "seed": 3,
                "fold": 0,
                "labels": self.labels,
                "inputs": {"size": 24, "mean": [0.5], "std": [0.2]},
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
        self.write("metrics/split.json", {"groups": 86, "train": part, "test": part, "unused": {}})

    def _evaluation(self) -> None:
        faces = self.rng.integers(1, 30, (len(self.labels), len(self.labels)))
        pairs = pd.MultiIndex.from_product([self.labels, self.labels], names=["label", "prediction"])
        confusion = pairs.to_frame(index=False).assign(
            faces=faces.ravel(),
            recall=(faces / faces.sum(1, keepdims=True)).ravel().round(6),
            precision=(faces / faces.sum(0, keepdims=True)).ravel().round(6),
        )
        per_class = {
            label: {name: self.share() for name in ("precision", "recall", "f1", "auroc")} | {"faces": int(count)}
            for label, count in zip(self.labels, faces.sum(1))
        }
        test = self._figures(int(faces.sum()), 22) | {
            name: self.share() for name in ("weighted_f1", "top2", "log_loss", "kappa", "ece")
        }
        test |= {
            "calibrated": {"log_loss": self.share(), "ece": self.share()},
            "coarse": {name: self.share() for name in FIGURES[:3]},
            "per_class": per_class,
            "per_dataset": {name: self._figures(77, 9) for name in self.sources},
        }
        validation = {name: self.share() for name in (*FIGURES, "weighted_f1", "top2", "log_loss", "kappa", "ece")}
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

    def _figures(self, faces: int, groups: int) -> dict:
        figures = {name: self.share() for name in FIGURES}
        interval = {
            name: {"low": round(value / 2, 6), "high": round((value + 1) / 2, 6)} for name, value in figures.items()
        }
        return {"faces": faces, "groups": groups, **figures, "interval": interval}

    def _training(self) -> None:
        for part in ("train", "validation"):
            for name in ("loss", *FIGURES):
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
    """Two drawn data sets, seven labels, all there is to tell; in a git repository where all is committed."""
    project = Project.copy(tmp_path_factory.mktemp("report") / "project")
    project.ok("git", "init", "-q", "-b", "main", ".")
    for key in ("user.name", "user.email"):
        project.ok("git", "config", key, "test")
    project.ok("git", "add", "-A")
    project.ok("git", "commit", "-q", "-m", "as it is")
    return Run(project, LABELS, {"drawn-ck48": True, "drawn-sfew": True}, 1).report()


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One real data set in colour, eight labels, in no repository, and as much missing as can be."""
    run = Run(Project.copy(tmp_path_factory.mktemp("odd") / "project"), [*LABELS, "contempt"], {"sfew": False}, 3)
    figures = run.json("metrics/metrics.json")
    for part in (figures["test"], figures["test"]["per_dataset"]["sfew"], *figures["test"]["per_class"].values()):
        part.pop("auroc")
        part.pop("interval", None)
    del figures["test"]["coarse"], figures["test"]["kappa"]
    run.write("metrics/metrics.json", figures)
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
    run.write("metrics/merge.json", {"sfew": {"faces": 340, "rejected": {}, "more_than_published": {"all/fear": -2}}})
    return run.report()


def test_the_headline_is_what_was_measured(run: Run):
    test = run.json("metrics/metrics.json")["test"]
    tiles = re.findall(r"<dd><strong>(.*?)</strong>\s*<span>95&nbsp;% interval\s+(.*?) to (.*?)</span>", run.page)
    assert tiles == [
        (three(test[name]), three(test["interval"][name]["low"]), three(test["interval"][name]["high"]))
        for name in FIGURES
    ]
    right = round(test["accuracy"] * test["faces"])
    assert f"<strong>{right:,} of {test['faces']:,}</strong>" in " ".join(run.page.split())
    assert f"{test['accuracy']:.1%}".replace("%", "\u202f%") in run.page
    worst = run.table("plots/evaluation/confusion.csv").query("label != prediction").sort_values("faces").iloc[-1]
    assert re.search(rf"Most often\s+{worst.label} is taken for {worst.prediction} \({worst.faces} of", run.page)


def test_every_figure_of_the_tables_is_what_was_measured(run: Run):
    figures = run.json("metrics/metrics.json")
    test = figures["test"]
    rows = run.tables["Figures of all test faces and of each data set, with 95 % intervals"]
    assert rows[1:] == [
        [name, f"{part['faces']:,}", str(part["groups"])]
        + [
            f"{three(part[key])} {three(part['interval'][key]['low'])} to {three(part['interval'][key]['high'])}"
            for key in FIGURES
        ]
        for name, part in {"all": test, **test["per_dataset"]}.items()
    ]
    assert run.tables["Figures of each class"][1:] == [
        [label, str(row["faces"]), *(three(row[key]) for key in ("precision", "recall", "f1", "auroc"))]
        for label, row in test["per_class"].items()
    ]
    names = ("weighted_f1", "top2", "kappa", "log_loss", "ece")
    assert [row[1:] for row in run.tables["Other figures of the test and validation faces"][1:]] == [
        [three(test[name]), three(figures["validation"][name])] for name in names
    ]
    text = " ".join(run.page.split())
    assert f"accuracy {three(test['coarse']['accuracy'])}, balanced" in text
    assert f"temperature {three(figures['temperature'])}, found" in text


def test_the_confusion_matrices_are_what_was_measured(run: Run):
    confusion = run.table("plots/evaluation/confusion.csv")
    columns = {"By count": ("faces", 1), "By true class": ("recall", 100), "By predicted class": ("precision", 100)}
    for title, (name, scale) in columns.items():
        rows = run.tables[f"Confusion matrix, {title}: a row a true class, a column a prediction"]
        assert rows[0][1:] == LABELS and [row[0] for row in rows[1:]] == LABELS
        shown = [cell for row in rows[1:] for cell in row[1:]]
        assert shown == [f"{value * scale:.0f}" for value in confusion[name]]


def test_each_chart_has_its_exact_numbers(run: Run):
    for name, title in {"loss": "Loss", "accuracy": "Accuracy", "macro_f1": "Macro-F1", "auroc": "AUROC"}.items():
        parts = {part: run.table(f"{CURVES}/{part}/{name}.tsv", "\t")[name] for part in ("train", "validation")}
        assert run.tables[f"Numbers of {title}"][1:] == cells(pd.DataFrame({"epoch": range(1, 5), **parts}))
    rate = run.table(f"{CURVES}/lr.tsv", "\t")
    assert run.tables["Numbers of Learning rate"][1:] == cells(rate.assign(step=rate.step + 1))
    assert run.tables["Numbers of Precision, recall and F1"][1:] == cells(run.table("plots/evaluation/per_class.csv"))
    assert run.tables["Numbers of drawn-ck48"] == [["label", "train", "test", "all"]] + [
        [label, str(7 + at), str(7 + at), str(14 + 2 * at)] for at, label in enumerate(LABELS)
    ]
    test = run.json("metrics/metrics.json")["test"]
    rows = [
        [name, exact(part["accuracy"]), *(exact(part["interval"]["accuracy"][end]) for end in ("low", "high"))]
        for name, part in {"all": test, **test["per_dataset"]}.items()
    ]
    assert run.tables["Numbers of Accuracy and its interval"][1:] == rows
    assert run.tables["Numbers of Brightness"][1] == ["10", "0.25", "0.25"]
    assert run.tables["Numbers of Probabilities"][1:] == [["0.25", "10", "30"], ["0.75", "200", "4"]]
    assert run.tables["Numbers of Reliability"][3] == ["after scaling", "0.8", "0.75", "23"]
    assert run.tables["Numbers of ROC"][1] == ["anger", "0", "0", "0", "0", exact(0.5**0.5)]


def test_what_was_left_out_and_why(run: Run, odd: Run):
    assert run.tables["Pictures and faces of each data set, from the archive to what is used"][1:] == [
        ["in the archive", "361", "361"],
        ["label <odd> is not among data.labels", "−21", "−21"],
        ["duplicate", "−5", "−5"],
        ["kept", "335", "335"],
    ]
    assert "Test pictures of sfew that its training part shows too: 6." in odd.page
    assert "all/fear -2 faces" in odd.page


def test_faces_are_in_the_page_only_if_wanted(run: Run, tmp_path: Path):
    assert run.page.count("data:image/png") == 3 + 1 + 4 + 2 + 1 + 2 + 2 + 2  # strips, grid, mistake, right, distorted
    without = copy(run, tmp_path / "project")
    without.project.edit("params.yaml", ("faces: true", "faces: false"))
    without.report()
    assert "data:image" not in without.page and "<img" not in without.page
    assert "Pictures of faces are left out" in without.page and "Pictures of faces are left out" not in run.page
    assert without.tables["The most confident mistakes"][1:] == [["1", "drawn-ck48", "anger", "fear", "0.750"]]


def test_the_same_run_gives_the_same_bytes_anywhere(run: Run, tmp_path: Path):
    again = copy(run, tmp_path / "elsewhere").report(PYTHONHASHSEED="1", TZ="Asia/Tokyo", LANG="C")
    assert (again.page, again.card) == (run.page, run.card)
    assert str(run.project.folder) not in run.page


def copy(run: Run, folder: Path) -> Run:
    """The same run in another folder."""
    shutil.copytree(run.project.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
    other = object.__new__(Run)
    other.project = Project(folder)
    return other


def test_drawn_faces_are_said_to_be_drawn(run: Run, odd: Run):
    assert "They say nothing about people." in " ".join(run.page.split())
    assert "they say nothing about people" in run.card and "CC0" in run.card
    assert "say nothing about people" not in odd.page + odd.card


def test_the_page_holds_whatever_is_missing(odd: Run):
    assert "too few people or films for an interval" in odd.page and "95&nbsp;% interval" not in odd.page
    assert "The code was not in a git repository" in odd.page
    assert odd.page.count("No test face was named wrong.") == 1 and "Nowhere: no test face was named wrong." in odd.page
    row = odd.tables["Figures of all test faces and of each data set, with 95 % intervals"][1]
    assert row[-1] == "– –" and "nan" not in odd.page.lower() and "None" not in odd.page
    assert odd.tables["Confusion matrix, By count: a row a true class, a column a prediction"][0][-1] == "contempt"
    assert "in colour" in odd.page and "Numbers of AUROC" not in odd.tables and "Numbers of ROC" not in odd.tables


def test_the_page_needs_nothing_else(run: Run, odd: Run):
    for page in (run.page, odd.page):
        assert not re.search(r"https?:|<script|@import", page)
        assert all(link.startswith(("#", "data:")) for link in re.findall(r'(?:src|href)="(.*?)"', page))
        ids = re.findall(r'\bid="(.*?)"', page)
        assert len(ids) == len(set(ids))
        assert not re.search("#0[0-9a-f]{5}", page)  # a stand-in for a colour that was not exchanged


def test_how_to_repeat_it(run: Run):
    assert ["train.lr", "0.0123"] in run.tables["The params that this run depends on"]
    assert ["split.folds", "5"] in run.tables["The params that this run depends on"]
    hashes = [row[-1] for row in run.tables["SHA-256 of the archives, indexes and weights"][1:]]
    assert hashes == [f"{0:064x}", f"{1:064x}", "e" * 64, hashlib.sha256(b"weights").hexdigest()]
    assert ["trained on", "Abacus 3000"] in run.tables["Versions and hardware"]


def test_the_page_names_the_code_by_what_git_will_call_it(run: Run):
    tree = run.project.ok("git", "rev-parse", "HEAD:stages").strip()
    command = re.search(r"<code>(git log .*?)</code>", run.page)[1]
    assert tree in command
    commit = run.project.ok("git", "rev-parse", "HEAD")
    assert run.project.ok("bash", "-c", command) == commit
    assert run.project.ok("git", "status", "--porcelain", "--", "stages") == ""


def test_a_tree_id_is_of_the_disk_and_leaves_the_repository_alone(project: Project, monkeypatch: pytest.MonkeyPatch):
    # In a folder of a larger repository, with a tracked file that git would ignore.
    above = Project(project.folder.parent)
    above.ok("git", "init", "-q", "-b", "main", ".")
    monkeypatch.chdir(project.folder)
    fresh = tree_id(Path("stages"))
    (project.folder / ".gitignore").open("a").write("check.py\n")
    above.ok("git", "add", "-f", "project/stages", "project/.gitignore")
    above.ok("git", "-c", "user.name=t", "-c", "user.email=t", "commit", "-q", "-m", "first")

    def committed() -> str:
        return project.ok("git", "rev-parse", "HEAD:./stages").strip()

    assert tree_id(Path("stages")) == committed() == fresh
    objects = {path for path in (above.folder / ".git").rglob("*") if path.is_file()}
    project.edit("stages/check.py", ("import", "import  "))
    changed = tree_id(Path("stages"))
    assert changed != committed()
    assert {path for path in (above.folder / ".git").rglob("*") if path.is_file()} == objects
    assert project.ok("git", "diff", "--cached", "--name-only") == ""
    above.ok("git", "-c", "user.name=t", "-c", "user.email=t", "commit", "-q", "-a", "-m", "second")
    assert committed() == changed


# The card


@pytest.mark.parametrize("which", ["run", "odd"])
def test_the_head_of_the_card_is_what_was_measured(which: str, request: pytest.FixtureRequest):
    run = request.getfixturevalue(which)
    head = YAML(typ="safe").load(run.card.split("---\n")[1])
    real = which == "odd"
    assert head["license"] == ("other" if real else "cc0-1.0") and head["pipeline_tag"] == "image-classification"
    assert head["datasets"] == list(run.sources)
    test = run.json("metrics/metrics.json")["test"]
    names = {"accuracy": "accuracy", "f1": "macro_f1", "roc_auc": "auroc"}
    results = {entry["dataset"]["name"]: entry["metrics"] for entry in head["model-index"][0]["results"]}
    for name, part in {"all": test, **test["per_dataset"]}.items():
        told = {names[metric["type"]]: metric["value"] for metric in results[name]}
        assert told == {key: part[key] for key in names.values() if key in part}


def test_the_card_tells_the_figures_and_the_limits(run: Run, odd: Run):
    test = run.json("metrics/metrics.json")["test"]
    for name, part in {"all": test, **test["per_dataset"]}.items():
        ranges = {key: [three(part["interval"][key][end]) for end in ("low", "high")] for key in FIGURES}
        figures = [f"{three(part[key])} ({' to '.join(ranges[key])})" for key in FIGURES]
        assert f"| {' | '.join([name, str(part['faces']), str(part['groups']), *figures])} |" in run.card
    for label, row in test["per_class"].items():
        assert f"| {label} | {row['faces']} | {three(row['precision'])} | {three(row['recall'])} |" in run.card
    assert "outputs / 1.234567" in run.card
    text = " ".join(odd.card.split())
    assert "The weights follow them" in text and "may not be passed on" in text
    assert "too few people or films for an interval" in text and "not for decisions about people" in text


# In a browser, with the network off


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


def test_the_page_follows_the_colour_scheme(run: Run, browser: Browser):
    def colours(scheme: str) -> list[str]:
        style = "getComputedStyle(document.querySelector(%r)).%s"
        with browser.opened(run.project.folder / "plots/report.html", scheme, 390) as page:
            return [page.tab.evaluate(style % rule) for rule in (("body", "backgroundColor"), ("svg text", "fill"))]

    light, dark = colours("light"), colours("dark")
    assert light[0] != dark[0] and light[1] != dark[1]
