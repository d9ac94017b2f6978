"""The pipeline under DVC: what each stage depends on, and what a change reruns, in real repositories."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from helpers.closure import ROOT, closure
from helpers.project import Project
from helpers.repository import commit, hashes, killed_in, locked, ran, small

PIPELINE, BENCHMARK = (
    YAML(typ="safe").load(ROOT / name)["stages"] for name in ("dvc.yaml", "stages/benchmark/dvc.yaml")
)
STAGES = [*PIPELINE.items(), *BENCHMARK.items()]


@pytest.fixture
def repository(project: Project) -> Project:
    return small(project)


def script(definition: dict) -> Path:
    """The script that a stage runs."""
    return ROOT / (re.search(r"-m (stages[.\w]+)", definition["cmd"])[1].replace(".", "/") + ".py")


@pytest.mark.parametrize(("stage", "definition"), STAGES)
def test_a_stage_depends_on_the_code_it_can_import_and_on_no_file_or_room_without_any(stage: str, definition: dict):
    needed, declared = closure(script(definition)), set()
    for dependency in definition["deps"]:
        if dependency.split("/")[0] == "stages":
            path = ROOT / dependency
            files = {str(file.relative_to(ROOT)) for file in (path.rglob("*.py") if path.is_dir() else [path])}
            assert files & needed or not files, f"{stage} imports nothing of {dependency}"
            declared |= files
    assert needed <= declared


def test_a_room_imports_no_stage_and_only_those_that_compute_with_networks_import_torch():
    scripts = {str(script(definition).relative_to(ROOT)) for _, definition in STAGES}
    for file in (ROOT / "stages").rglob("*.py"):
        name, text = str(file.relative_to(ROOT)), file.read_text()
        assert closure(file) & scripts <= {name}, f"{name} imports a stage"
        if re.search(r"^\s*(?:import|from) (?:torch|timm|dvclive)", text, re.MULTILINE):
            rooms = r"stages/((train|evaluate|explain)\.py|(models|training|evaluation)/|inspection/cam|benchmark/(cost|profiling))"
            assert re.match(rooms, name), name
        if name not in scripts and name != "stages/base/paths.py":
            assert not re.search(r"""["'](?:data|metrics|plots)/""", text), f"{name} knows a path of the pipeline"


def test_a_change_reruns_what_depends_on_it_and_nothing_else(repository: Project):
    data_stages = ["check", "download@ck48", "download@jaffe", "merge", "clean", "split", "augment"]
    said = ran(repository.ok("dvc", "repro", "augment"))
    assert said[0] == "check" and sorted(said[1:3]) == data_stages[1:3] and said[3:] == data_stages[3:]
    first = hashes(repository)
    assert ran(repository.ok("dvc", "repro", "augment")) == []

    # A comment in a file that merge imports reruns merge, and as it writes the same, nothing after it.
    crop = repository.folder / "stages/datasets/crop.py"
    crop.write_text(crop.read_text() + "# a comment\n")
    assert ran(repository.ok("dvc", "repro", "augment")) == ["merge"]
    assert hashes(repository) == first

    # A data set that leaves the list and comes back: the hashes are those of a fresh clone with that list.
    repository.edit("params.yaml", ("[ck48, jaffe]", "[ck48]"))
    assert ran(repository.ok("dvc", "repro", "augment"))[:2] == ["check", "merge"]
    without = hashes(repository, *data_stages[3:])
    commit(repository)
    fresh = repository.clone(repository.folder.parent / "fresh")
    (fresh.folder / "dvc.lock").unlink()
    fresh.ok("dvc", "repro", "augment")
    assert hashes(fresh, *data_stages[3:]) == without
    repository.edit("params.yaml", ("[ck48]", "[ck48, jaffe]"))
    repository.ok("dvc", "repro", "augment")
    assert hashes(repository) == first

    # The other models' settings, and what only training reads, are nothing to the data stages.
    repository.edit("params.yaml", ("epochs: 1", "epochs: 2"), ("cnn8: {lr: 0.0005,", "cnn8: {lr: 0.01,"))
    assert ran(repository.ok("dvc", "repro", "augment")) == []


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("model: cnn5", "model: cnn55", "model: 'cnn55' is not one of `models`: did you mean 'cnn5'?"),
        ("source: demo", "source: demmo", "data.source: 'demmo' is unknown: did you mean 'demo'?"),
        ("[ck48, jaffe]", "[ck49]", "data.datasets.0: 'ck49' is unknown: did you mean 'ck48'?"),
        ("[ck48, jaffe]", "[]", "data.datasets: [] is not right"),
    ],
)
def test_a_wrong_choice_is_refused_before_dvc_looks_it_up(repository: Project, right: str, wrong: str, line: str):
    repository.edit("params.yaml", (right, wrong))
    done = repository.run("dvc", "repro")
    assert done.returncode != 0 and f"ERROR: params.yaml: {line}" in done.stderr and "Traceback" not in done.stderr
    assert set(repository.written()) == {"data/exclude.csv"}


@pytest.mark.slow
def test_experiments_with_two_architectures_compare(repository: Project):
    repository.ok("dvc", "repro")
    commit(repository)
    repository.edit("params.yaml", ("googlenet: {input_size: 48}", "googlenet: {input_size: 64}"))
    assert ran(repository.ok("dvc", "repro")) == []  # it is nothing to cnn5
    commit(repository)

    # The report's look, and whether it shows faces, are nothing to any other stage.
    style = repository.folder / "stages/reporting/templates/page.css"
    for change in (
        lambda: style.write_text(style.read_text() + "/* a comment */\n"),
        lambda: repository.edit("params.yaml", ("faces: true", "faces: false")),
    ):
        change()
        assert ran(repository.ok("dvc", "repro")) == ["report"]
    repository.ok("git", "checkout", "-q", "-f", "main")
    repository.ok("dvc", "checkout", "-q")

    said = repository.ok("dvc", "exp", "run", "-n", "other", "-S", "model=googlenet")
    assert ran(said) == ["check", "train", "evaluate", "explain", "report"]
    config = json.loads((repository.folder / "data/model/config.json").read_text())
    assert config["architecture"] == "googlenet" and config["inputs"]["size"] == 64

    changes = json.loads(repository.ok("dvc", "metrics", "diff", "--all", "--json", "main", "other"))
    figures = changes["metrics/metrics.json"]
    for name in ("test.accuracy", "test.macro_f1", "test.per_class.happy.f1", "parameters"):
        assert {"old", "new", "diff"} <= set(figures[name])
    shown = json.loads(repository.ok("dvc", "exp", "show", "--json"))
    told = json.dumps(shown)
    assert '"model": "googlenet"' in told and '"macro_f1"' in told and '"other"' in told

    # Every plot shows both, the curves of training and validation, and every cell of both confusion matrices.
    plots = json.loads(repository.ok("dvc", "plots", "diff", "--json", "main", "other"))["data"]
    plots = {name: shown for name, shown in plots.items() if shown}  # the benchmark's are not there yet
    assert set(plots) == {next(iter(plot)) for plot in YAML(typ="safe").load(ROOT / "dvc.yaml")["plots"]}
    for name, (plot,) in plots.items():
        rows = plot["content"]["data"]["values"]
        assert {row["rev"] for row in rows} == {"main", "other"}, name
        if name.startswith("confusion"):
            cells = {(row["rev"], row["label"], row["prediction"]) for row in rows}
            assert len(cells) == len(rows) == 2 * 7 * 7
        if name in ("loss", "accuracy", "macro_f1"):
            assert {row["filename"].split("/")[0] for row in rows} == {"train", "validation"}

    # A training can start from the model of another revision.
    repository.ok("git", "checkout", "-q", "-f", "main")
    repository.ok("dvc", "checkout", "-q")
    first = dict(hashes(repository, "train")["train"])
    weights = (repository.folder / "data/model/weights.safetensors").read_bytes()
    said = repository.ok("dvc", "exp", "run", "-n", "on", "-S", "train.init=main")
    assert ran(said) == ["train", "evaluate", "explain", "report"]
    config = json.loads((repository.folder / "data/model/config.json").read_text())
    assert config["initial_weights"] == hashlib.sha256(weights).hexdigest()
    assert dict(hashes(repository, "train")["train"]) != first

    # Two processes train it, if told so.
    repository.ok("git", "checkout", "-q", "-f", "main")
    repository.ok("dvc", "checkout", "-q")
    said = repository.ok("dvc", "exp", "run", "-n", "two", "-S", "launch='torchrun --standalone --nproc-per-node=2'")
    assert ran(said) == ["train", "evaluate", "explain", "report"]
    assert json.loads((repository.folder / "data/model/config.json").read_text())["processes"] == 2

    repository.ok("git", "checkout", "-q", "-f", "main")
    repository.ok("dvc", "checkout", "-q")
    assert ran(repository.ok("dvc", "repro")) == []


@pytest.mark.slow
def test_a_benchmark_goes_on_where_it_was_killed_and_another_model_runs_alone(repository: Project):
    folds, models = ("[0, 1, 2, 3, 4]", "[0, 1]"), "models: [cnn5, mini_xception]"
    repository.edit("params.yaml", folds, ("models: [cnn5, cnn8, convnet, mini_xception]", models))
    commit(repository)
    command = ("dvc", "repro", "stages/benchmark/dvc.yaml")
    begun, killed = [], []
    for stage in ("merge", "train@mini_xception-1-0", "evaluate@cnn5-0-0", "cost@mini_xception"):
        begun += killed_in(repository, stage, *command)
        killed.append(begun.pop())
    begun += ran(repository.ok(*command))
    assert len(begun) == len(set(begun)) and set(killed) <= set(begun), "a stage that had ended ran again"
    runs = [f"@{model}-{fold}-0" for model in ("cnn5", "mini_xception") for fold in (0, 1)]
    judged = {f"stages/benchmark/dvc.yaml:{stage}{run}" for stage in ("train", "evaluate") for run in runs}
    crossed = {f"{stage}@{dataset}" for stage in ("train_on", "evaluate_on") for dataset in ("ck48", "jaffe")}
    last = {"cost@cnn5", "cost@mini_xception", "compare", "present", "review", "cross"} | crossed
    last = {f"stages/benchmark/dvc.yaml:{stage}" for stage in last}
    assert {stage for stage in begun if stage.startswith("benchmark/")} == judged | last
    assert ran(repository.ok(*command)) == []

    crossed = json.loads((repository.folder / "metrics/cross.json").read_text())
    assert set(crossed["trained_on"]) == {"ck48", "jaffe", "all"}
    counts = json.loads((repository.folder / "metrics/split.json").read_text())["test"]
    assert {on: part["faces"] for on, part in crossed["trained_on"]["all"]["tested_on"].items()} == counts

    # One more model runs alone, and one that is measured to be slower changes the comparison alone.
    repository.edit("params.yaml", (models, "models: [cnn5, mini_xception, cnn8]"))
    said = repository.ok(*command)
    new = {f"{stage}@cnn8-{fold}-0" for stage in ("train", "evaluate") for fold in (0, 1)}
    new |= {"cost@cnn8", "compare", "present"}
    assert {stage.removeprefix("stages/benchmark/dvc.yaml:") for stage in ran(said)} == new
    board = json.loads((repository.folder / "metrics/benchmark.json").read_text())
    assert set(board["models"]) == {"cnn5", "mini_xception", "cnn8"} and board["drawn_faces"]
    for model in board["models"]:
        runs = [repository.folder / f"data/benchmark/{model}/{fold}-0/metrics.json" for fold in (0, 1)]
        parts = [json.loads(run.read_text())["validation"] for run in runs]
        told = board["models"][model]["validation"]
        assert told["faces"] == sum(part["faces"] for part in parts)
        assert told["mean"]["macro_f1"] == pytest.approx(sum(part["macro_f1"] for part in parts) / 2, abs=2e-6)
        assert f" {model} " in said
    cost = repository.folder / "data/costs/cnn5.json"
    cost.write_text(cost.read_text().replace('"device": "', '"device": "slow '))
    repository.ok("dvc", "commit", "-q", "-f", "stages/benchmark/dvc.yaml:cost@cnn5")
    assert ran(repository.ok(*command)) == ["stages/benchmark/dvc.yaml:compare", "stages/benchmark/dvc.yaml:present"]
    assert "slow " in (repository.folder / "plots/benchmark.html").read_text()

    shown = json.loads(repository.ok("dvc", "plots", "show", "--json"))["data"]
    for name in ("accuracy and computation", "accuracy and speed"):
        rows = shown[name][0]["content"]["data"]["values"]
        assert {row["model"] for row in rows} == set(board["models"])
    figures = json.loads(repository.ok("dvc", "metrics", "show", "--json", "metrics/benchmark.json"))
    assert "cnn8" in json.dumps(figures)


@pytest.mark.slow
def test_every_architecture_trains(repository: Project):
    repository.ok("dvc", "repro")
    commit(repository)
    for name, changes in YAML(typ="safe").load(repository.folder / "params.yaml")["models"].items():
        repository.ok("dvc", "exp", "run", "-n", f"try-{name}", "-S", f"model={name}")
        config = json.loads((repository.folder / "data/model/config.json").read_text())
        figures = json.loads((repository.folder / "metrics/metrics.json").read_text())
        assert config["architecture"] == changes.get("arch", name)
        assert config["inputs"]["size"] == changes.get("input_size", 24)
        assert config["parameters"] == figures["parameters"] and 0 < figures["test"]["accuracy"] <= 1


@pytest.mark.slow
def test_two_runs_in_two_folders_write_the_same_bytes(repository: Project, tmp_path: Path):
    repository.ok("dvc", "repro")
    other = repository.clone(tmp_path / "other")
    other.ok("dvc", "repro")
    assert locked(repository) == locked(other)  # the file's text has independent stages in an order of chance


def test_what_a_stage_reads_of_params_is_what_it_declares():
    """Every chain of attributes on the loaded params, in a stage's script, is covered by its params in dvc.yaml."""
    for stage, definition in STAGES:
        if stage == "check":
            continue  # it checks them all, whenever a choice among them changes
        declared = {re.sub(r"\.?\$\{.*", "", name) for name in definition.get("params", [])}
        text = script(definition).read_text()
        loaded = re.search(r"(\w+) = params\.load\(\)((?:\.\w+)*)", text)
        read = set()
        if loaded:
            variable, section = loaded[1], loaded[2].removeprefix(".chosen")
            chains = re.findall(rf"\b{variable}((?:\.\w+)+)", text)
            read = {f"{section}{chain}".strip(".") for chain in chains}
        if "recipe" in {name.split(".")[0] for name in read}:
            read = {name for name in read if not name.startswith("recipe")} | {"train", "models", "model"}
        given = {"--model": "model", "--seed": "seed", "--fold": "split.fold"}
        read -= {name for option, name in given.items() if f"{option} " in definition["cmd"]}
        uncovered = {name for name in read if not any(covers(other, name) for other in declared)}
        unread = {name for name in declared if not any(covers(other, name) for other in read)}
        assert not uncovered and not unread, (stage, uncovered, unread)


def covers(one: str, other: str) -> bool:
    """Whether one key of params.yaml is the other, or a section with the other in it, or the other way round."""
    return one == other or one.startswith(other + ".") or other.startswith(one + ".")
