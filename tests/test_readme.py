"""README's statements: its commands run, in order; its example runs; what it names exists."""

import ast
import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from helpers import kaggle_server
from helpers.drawn_faces import drawn_face
from helpers.project import ROOT, Project
from helpers.repository import commit, ran, small

README = (ROOT / "README.md").read_text()
STUDIES = json.loads((ROOT / "metrics/studies.json").read_text())


def commands() -> list[str]:
    """Every command of the README, in order, without its remark; lines of code in Python are none."""
    lines = re.findall(r"^    (\S.*)$", re.sub(r"```.*?```", "", README, flags=re.DOTALL), re.MULTILINE)
    return [re.sub(r"\s{2,}# .*", "", line) for line in lines]


def test_it_is_short_and_what_it_names_exists():
    assert README.count("\n") <= 150
    for name in re.findall(r"`((?:stages|data|tests|\.github)/[\w./]+)`", README):
        assert (ROOT / name).exists() or name.startswith("data/"), name
    for link in re.findall(r"\]\(((?!http)[^)]+)\)|src=\"([^\"]+)\"", README):
        assert (ROOT / (link[0] or link[1]).partition("#")[0]).exists(), link
    written = set(re.findall(r"- ((?:data|metrics|plots)/[\w./]+)", (ROOT / "dvc.yaml").read_text()))
    named = set(re.findall(r"`((?:data|metrics|plots)/[\w./]+)`", README.split("## The stages")[1].split("## Your")[0]))
    assert all(any(path.startswith(name.rstrip("/")) for path in written | {"data/model"}) for name in named)


def share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def interval(metric: dict[str, float]) -> str:
    return f"{share(metric['value'])} ({share(metric['low'])}–{share(metric['high'])})"


def test_results_are_those_of_the_studies():
    rows = re.findall(r"^\|.*\| (\S+ \(\S+\)) \| (\S+ \(\S+\)) \| `(\S+)` \|$", README, re.MULTILINE)
    assert len(rows) >= 10
    for accuracy, macro_f1, study in rows:
        metrics = STUDIES[study]["metrics"]
        assert [interval(metrics[f"test.{name}"]) for name in ("accuracy", "macro_f1")] == [accuracy, macro_f1], study


def table(heading: str) -> dict[str, list[str]]:
    """Return the rows of the table under a heading of the benchmark's page, by their first cell."""
    page = (ROOT / "stages/benchmark/README.md").read_text()
    section = page.partition(f"### {heading}\n")[2].partition("\n#")[0]
    _, _, *rows = [line for line in section.splitlines() if line.startswith("|")]
    return {first: cells for first, *cells in ([cell.strip() for cell in row.split("|")[1:-1]] for row in rows)}


def test_results_of_five_models_are_those_of_the_studies():
    models = table("Five models on CK+48, JAFFE and SFEW")
    assert len(models) == 5
    for name, cells in models.items():
        study = STUDIES[f"merged-folds-{name}"]
        metrics = study["metrics"]
        parts = ("accuracy", "ck48.macro_f1", "jaffe.macro_f1", "sfew.macro_f1")
        assert cells == [
            interval(metrics["test.macro_f1"]),
            share(metrics["test.macro_f1"]["std"]),
            *(share(metrics[f"test.{part}"]["value"]) for part in parts),
            f"{study['parameters'] / 1e6:.2f}",
            f"{study['seconds'] / study['runs']:.0f}",
        ], name


def test_results_of_distillation_are_those_of_the_studies():
    networks = table("Distillation on FER2013")
    assert len(networks) == 5
    for name, cells in networks.items():
        taught = {"mobilenet_face": ("-grey", "-distilled"), "mini_mobilenet": ("", "-distilled-six")}
        endings = taught.get(name, ("", "-distilled"))
        studies = [STUDIES[f"fer2013-{name}{ending}"]["metrics"] for ending in endings]
        assert cells == [
            text
            for study in studies
            for text in (share(study["validation.accuracy"]["value"]), interval(study["test.accuracy"]))
        ], name


def test_results_of_a_data_set_left_out_are_those_of_the_studies():
    datasets = table("A data set left out")
    assert len(datasets) == 5
    for name, cells in datasets.items():
        study = STUDIES[f"without-{re.sub('[+-]', '', name).lower()}"]
        assert cells == [
            f"{study['faces']:,}",
            *(interval(study["metrics"][f"test.{metric}"]) for metric in ("accuracy", "macro_f1")),
            f"{study['seconds'] / 60:.0f}",
        ], name


@pytest.mark.slow
def test_every_command_runs_in_order(project: Project, drawn: Callable[..., Path], tmp_path: Path):
    for dataset in ("ck48", "jaffe"):
        archive = tmp_path / f"{dataset}.zip"
        shutil.copy(drawn(dataset, 130) / archive.name, archive)
        project.edit("params.yaml", (f"{dataset}: {{path: null", f"{dataset}: {{path: {archive}"))
    small(project)
    install, test, *others = commands()
    assert install.endswith("pip install -r requirements.txt && dvc repro") and test.endswith("&& pytest")  # by CI
    project.ok("dvc", "repro")
    commit(project)
    example(project)
    project.ok("python", "-m", "stages.predict", "photo.jpg", "--model", "main")

    (tmp_path / "server").mkdir()
    server = kaggle_server.Server(tmp_path / "server")
    server.kaggle = kaggle_server.Kaggle(
        datasets={"msambare/fer2013": [(drawn("fer2013", 200, "folders") / "fer2013.zip").read_bytes()]}
    )
    kaggle = {"HOME": str(tmp_path), "KAGGLE_API_TOKEN": kaggle_server.TOKEN, **server.environment}
    printed = {}
    for command in others:
        if not command.startswith("dvc exp run -n") or "-n google" in command:
            project.ok("git", "checkout", "-q", "params.yaml")  # as the README says
        environment = kaggle if "kaggle" in command else {}
        printed[command] = project.ok("bash", "-c", command, OMP_WAIT_POLICY="PASSIVE", **environment)
        if command.startswith("dvc exp run -n"):
            project.ok("git", "checkout", "-q", ".")
            project.ok("dvc", "checkout", "-q")
    server.close()
    assert len(others) > 8

    stages = {command: ran(text) for command, text in printed.items() if command.startswith("dvc exp run -n")}
    trained = ["check", "train", "evaluate", "explain", "report"]
    for name in ("google", "taught", "slower", "fold1"):
        assert next(stages[command] for command in stages if f"-n {name} " in command) == trained
    plain = next(stages[command] for command in stages if "-n plain " in command)
    assert sorted(plain) == sorted([*trained, "augment", "explore"])

    assert "photo.jpg" in printed["python -m stages.predict photo.jpg --annotate annotated"]
    assert (project.folder / "annotated/photo.jpg").exists()

    table = next(text for command, text in printed.items() if command.startswith("dvc exp show"))
    assert "google" in table and "split.fold" in table and "validation.macro_f1" in table
    assert max(map(len, table.splitlines())) <= 120
    while re.search("Queued|Running", status := project.ok("dvc", "queue", "status")):
        time.sleep(1)
    assert status.count("Success") == 2, status


def example(project: Project) -> None:
    """Run the example of using a model on a picture of a drawn face, which is left for the commands after it."""
    Image.fromarray(drawn_face("jaffe", 0)).save(project.folder / "photo.jpg")
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    (line,) = project.ok("python", "-c", code).splitlines()
    label, probabilities = re.match(r"(\w+) (\{.*?\}) Box\(", line).groups()
    shares = ast.literal_eval(probabilities)
    assert label == max(shares, key=shares.get) and sum(shares.values()) == pytest.approx(1, abs=1e-6)
