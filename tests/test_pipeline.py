"""The pipeline under DVC: what each stage depends on, and what a change reruns, in real repositories."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from ruamel.yaml import YAML

from helpers.closure import ROOT, closure
from helpers.project import Project
from helpers.repository import commit, hashes, killed_in, ran, small
from stages.models.saved_model import load

PIPELINE, BENCHMARK, PUBLISHING = (
    YAML(typ="safe").load(ROOT / name)["stages"]
    for name in ("dvc.yaml", "stages/benchmark/dvc.yaml", "stages/publishing/dvc.yaml")
)
STAGES = [*PIPELINE.items(), *BENCHMARK.items(), *PUBLISHING.items()]
# From top to bottom: a module imports only from its own room and from rooms below it.
ROOMS = (
    "benchmark", "publishing", "reporting", "prediction", "training", "evaluation", "architectures", "models",
    "inspection", "curation", "datasets", "detection", "sources", "archives", "faces", "params", "base",
)  # fmt: skip
PACKAGE, PREDICT = "stages/__init__.py", "stages/predict.py"  # predict is a command and no stage
WITH_TORCH = re.compile(
    r"stages/((train|evaluate|explain)\.py|(models|architectures|training|evaluation|prediction)/|inspection/cam"
    r"|benchmark/(cost|profiling|jobs/local_workers)|publishing/)"
)


@pytest.fixture
def repository(project: Project) -> Project:
    return small(project)


def script(definition: dict) -> Path:
    """The script that a stage runs."""
    return ROOT / (re.search(r"-m (stages[.\w]+)", definition["cmd"])[1].replace(".", "/") + ".py")


def python_files(dependency: str) -> set[str]:
    path = ROOT / dependency
    files = path.rglob("*.py") if path.is_dir() else [path]
    return {str(file.relative_to(ROOT)) for file in files if file.suffix == ".py"}


@pytest.mark.parametrize(("stage", "definition"), STAGES)
def test_a_stage_depends_on_the_code_that_it_can_import_and_on_little_else(stage: str, definition: dict):
    needed, declared = closure(script(definition)), set()
    for dependency in definition["deps"]:
        if dependency.split("/")[0] == "stages":
            files = python_files(dependency)
            by_name = stage == "check" and dependency == "stages/architectures"  # imported by their names
            assert by_name or not files or len(files & needed) >= len(files) / 2, (
                f"{stage} imports little of {dependency}"
            )
            declared |= files
    assert needed <= declared, needed - declared
    if "stages/models/networks.py" in needed:
        code = "stages/architectures" if stage == "check" else "data/architectures/"
        assert any(dependency.startswith(code) for dependency in definition["deps"])


def test_scripts_are_small_and_rooms_import_only_from_rooms_below_and_no_script():
    scripts = {str(script(definition).relative_to(ROOT)) for _, definition in STAGES}
    assert {str(file.relative_to(ROOT)) for file in (ROOT / "stages").glob("*.py")} <= {*scripts, PACKAGE, PREDICT}
    files = list((ROOT / "stages").rglob("*.py"))
    scripts |= {str(file.relative_to(ROOT)) for file in files if "guard(main)" in file.read_text()}  # commands too
    for file in files:
        name, text = str(file.relative_to(ROOT)), file.read_text()
        if name in scripts:
            module = name.removesuffix(".py").replace("/", ".")
            assert re.search(rf"^ *python -m {module}\b", text, re.MULTILINE), f"{name} lacks a usage line"
        room = name.split("/")[1]
        for other in closure(file) - {name, PACKAGE}:
            assert other not in scripts, f"{name} imports the script {other}"
            if room in ROOMS:
                assert ROOMS.index(other.split("/")[1]) >= ROOMS.index(room), f"{name} imports {other}"
        if re.search(r"^\s*(?:import|from) (?:torch|timm|dvclive)", text, re.MULTILINE):
            assert WITH_TORCH.match(name), f"{name} imports torch"
        if name not in scripts and name != "stages/base/paths.py":
            assert not re.search(r"""["'](?:data|metrics|plots)/""", text), f"{name} knows a path of the pipeline"


@pytest.fixture
def up_to_date(repository: Project) -> Project:
    """A repository whose stages count as run: their outputs are stand-ins."""
    project, sets = repository, ("ck48", "jaffe")
    params = YAML(typ="safe").load(project.folder / "params.yaml")
    for definition in PIPELINE.values():
        for output in [*definition["outs"], *definition.get("metrics", [])]:
            path = output if isinstance(output, str) else next(iter(output))
            for dataset in sets:
                target = project.folder / path.replace("${item.dataset}", dataset)
                if target.suffix:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_text("{}")
                else:
                    target.mkdir(parents=True, exist_ok=True)
                    for name in [f"{model}.json" for model in params["models"]] + ["index.csv", "removed.csv"]:
                        (target / name).write_text("{}")
    project.ok("dvc", "commit", "-q", "-f", "dvc.yaml")
    commit(project)
    assert changed(project) == set()
    return project


def changed(project: Project) -> set[str]:
    """The stages of the main pipeline that are not up to date."""
    return {name.partition(":")[2] or name for name in json.loads(project.ok("dvc", "status", "--json", "dvc.yaml"))}


@pytest.mark.parametrize(
    ("section", "key", "stages"),
    [
        ("report", "  faces: true", {"check", "report"}),
        ("train", "  epochs: 1\n", {"check", "train"}),
        ("split", "  folds: 3", {"check", "split", "train", "report"}),  # the report shows the settings
        ("clean", "  whole_parts: false", {"check", "clean", "report"}),
        ("benchmark", "  threads: 1", {"check"}),
    ],
)
def test_a_new_key_of_a_section_reruns_the_stages_that_read_it(
    up_to_date: Project, section: str, key: str, stages: set[str]
):
    schema = f"stages/params/{section}.py"
    last = re.findall(r"^    \w+: .*\n", (up_to_date.folder / schema).read_text(), re.MULTILINE)[-1]
    up_to_date.edit(schema, (last, f"{last}    new: int\n"))
    up_to_date.edit("params.yaml", (key, f"  new: 1\n{key}"))
    assert changed(up_to_date) == stages
    up_to_date.ok("python", "-m", "stages.check")


def test_an_exclusion_reruns_split_and_no_cleaning(up_to_date: Project):
    with (up_to_date.folder / "data/exclude.csv").open("a") as out:
        out.write("drawn-ck48,a.png,no face\n")
    assert changed(up_to_date) == {"split"}


def test_a_new_architecture_retrains_no_other_model(up_to_date: Project):
    up_to_date.stage("check")
    up_to_date.ok("dvc", "commit", "-q", "-f", "dvc.yaml")
    source = up_to_date.folder / "stages/architectures/cnn5.py"
    (source.parent / "mine.py").write_text(source.read_text())
    up_to_date.edit("params.yaml", ("  cnn5: {}", "  cnn5: {}\n  mine: {}"))
    assert changed(up_to_date) == {"check"}
    up_to_date.stage("check")
    up_to_date.ok("dvc", "commit", "-q", "-f", "check")
    assert changed(up_to_date) == set()
    source.write_text(source.read_text() + "# a comment\n")
    up_to_date.stage("check")
    up_to_date.ok("dvc", "commit", "-q", "-f", "check")
    assert changed(up_to_date) == {"train", "evaluate", "explain"}


def test_plain_commands_are_quiet_and_know_nothing_of_the_benchmark(up_to_date: Project):
    for command in (("metrics", "show"), ("metrics", "diff"), ("status",), ("dag",)):
        done = up_to_date.run("dvc", *command)
        assert done.returncode == 0 and "WARNING" not in done.stderr + done.stdout, done.stderr
        assert "benchmark" not in done.stdout and "failed" not in done.stderr, done.stderr
    assert max(map(len, up_to_date.ok("dvc", "dag", "dvc.yaml").splitlines())) < 400


DATA_STAGES = ["check", "download@ck48", "download@jaffe", "merge", "clean", "split", "augment"]


def test_a_change_reruns_what_depends_on_it_and_nothing_else(repository: Project):
    said = ran(repository.ok("dvc", "repro", "augment"))
    assert said[0] == "check" and sorted(said[1:3]) == DATA_STAGES[1:3] and said[3:] == DATA_STAGES[3:]
    first = hashes(repository)
    assert ran(repository.ok("dvc", "repro", "augment")) == []

    # A comment in a file that merge imports reruns merge, and as it writes the same, nothing after it.
    crop = repository.folder / "stages/datasets/crop.py"
    crop.write_text(crop.read_text() + "# a comment\n")
    assert ran(repository.ok("dvc", "repro", "augment")) == ["merge"]
    assert hashes(repository) == first

    # The other models' settings, and what only training reads, rerun none of the data stages.
    repository.edit("params.yaml", ("epochs: 1", "epochs: 2"), ("cnn8: {lr: 0.0005,", "cnn8: {lr: 0.01,"))
    assert ran(repository.ok("dvc", "repro", "augment")) == ["check"]


@pytest.mark.slow
def test_a_data_set_that_leaves_the_list_and_comes_back_gives_what_a_fresh_clone_does(repository: Project):
    repository.ok("dvc", "repro", "augment")
    first = hashes(repository)
    repository.edit("params.yaml", ("[ck48, jaffe]", "[jaffe]"))
    assert ran(repository.ok("dvc", "repro", "augment"))[:2] == ["check", "merge"]
    without = hashes(repository, *DATA_STAGES[3:])
    commit(repository)
    fresh = repository.clone(repository.folder.parent / "fresh")
    (fresh.folder / "dvc.lock").unlink()
    fresh.ok("dvc", "repro", "augment")
    assert hashes(fresh, *DATA_STAGES[3:]) == without
    repository.edit("params.yaml", ("[jaffe]", "[ck48, jaffe]"))
    repository.ok("dvc", "repro", "augment")
    assert hashes(repository) == first


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("model: cnn5", "model: cnn55", "model: 'cnn55' is not one of `models`: did you mean 'cnn5'?"),
        ("source: demo", "source: demmo", "data.source: 'demmo' is unknown: did you mean 'demo'?"),
        ("[ck48, jaffe]", "[ck49]", "data.datasets.0: 'ck49' is unknown: did you mean 'ck48'?"),
        ("[ck48, jaffe]", "[]", "data.datasets: [] is not allowed"),
    ],
)
def test_a_wrong_choice_is_refused_before_dvc_looks_it_up(repository: Project, right: str, wrong: str, line: str):
    repository.edit("params.yaml", (right, wrong))
    done = repository.run("dvc", "repro")
    assert done.returncode != 0 and f"ERROR: params.yaml: {line}" in done.stderr and "Traceback" not in done.stderr
    assert set(repository.written()) == {"data/dvc.yaml", "data/exclude.csv", "data/fingerprints/local.json"}


@pytest.mark.slow
def test_experiments_with_two_architectures_compare(repository: Project):
    repository.ok("dvc", "repro")
    commit(repository)
    repository.edit("params.yaml", ("googlenet: {input_size: 48}", "googlenet: {input_size: 64}"))
    assert ran(repository.ok("dvc", "repro")) == ["check"]  # another model's setting
    commit(repository)

    # The style of the report, and whether it shows faces, rerun no other stage but check.
    style = repository.folder / "stages/reporting/templates/page.css"
    style.write_text(style.read_text() + "/* a comment */\n")
    assert ran(repository.ok("dvc", "repro")) == ["report"]
    repository.edit("params.yaml", ("faces: true", "faces: false"))
    assert ran(repository.ok("dvc", "repro")) == ["check", "report"]
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

    for command in (("metrics", "show"), ("metrics", "diff"), ("plots", "show")):
        done = repository.run("dvc", *command)
        assert done.returncode == 0 and done.stderr == ""  # nothing is missing, though the benchmark never ran

    # Every plot shows both, the curves of training and validation, and every cell of both confusion matrices.
    plots = json.loads(repository.ok("dvc", "plots", "diff", "--json", "main", "other"))["data"]
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
    assert ran(said) == ["check", "train", "evaluate", "explain", "report"]
    config = json.loads((repository.folder / "data/model/config.json").read_text())
    assert config["initial_weights"] == hashlib.sha256(weights).hexdigest()
    assert dict(hashes(repository, "train")["train"]) != first

    # Two processes train it, if told so.
    repository.ok("git", "checkout", "-q", "-f", "main")
    repository.ok("dvc", "checkout", "-q")
    said = repository.ok("dvc", "exp", "run", "-n", "two", "-S", "launch='torchrun --standalone --nproc-per-node=2'")
    assert ran(said) == ["check", "train", "evaluate", "explain", "report"]
    assert json.loads((repository.folder / "data/model/config.json").read_text())["processes"] == 2

    repository.ok("git", "checkout", "-q", "-f", "main")
    repository.ok("dvc", "checkout", "-q")
    assert ran(repository.ok("dvc", "repro")) == []


@pytest.mark.slow
def test_a_benchmark_goes_on_where_it_was_killed_and_another_model_runs_alone(repository: Project):
    folds, models = ("[0, 1, 2, 3, 4]", "[0, 1]"), "models: [cnn5, mini_xception]"
    seeds = ("seeds: [0, 1, 2]", "seeds: [0]")
    repository.edit("params.yaml", folds, seeds, ("models: [cnn5, cnn8, convnet, mini_xception]", models))
    commit(repository)
    data = {"check", "download@ck48", "download@jaffe", "merge", "clean", "split", "augment", "train", "evaluate"}
    assert finished(repository, ("dvc", "repro", "evaluate"), "merge") == data
    runs = [f"@{model}-{fold}-0" for model in ("cnn5", "mini_xception") for fold in (0, 1)]
    jobs = {f"{stage}{run}" for stage in ("train", "evaluate") for run in runs}
    crossed = {f"{stage}@{dataset}" for stage in ("train_on", "evaluate_on") for dataset in ("ck48", "jaffe")}
    last = {"cost@cnn5", "cost@mini_xception", "compare", "report", "review", "cross_dataset"} | crossed
    killed = ("train@mini_xception-1-0", "evaluate@cnn5-0-0", "cost@mini_xception")
    assert finished(repository, ("dvc", "--cd", "stages/benchmark", "repro"), *killed) == {"check"} | jobs | last
    command = ("python", "-m", "stages.benchmark.run")
    assert ran(repository.ok(*command)) == []

    crossed = json.loads((repository.folder / "metrics/cross.json").read_text())
    assert set(crossed["trained_on"]) == {"ck48", "jaffe", "all"}
    counts = json.loads((repository.folder / "metrics/split.json").read_text())["test"]
    assert {on: part["faces"] for on, part in crossed["trained_on"]["all"]["tested_on"].items()} == counts

    # A further model runs alone.
    repository.edit("params.yaml", (models, "models: [cnn5, mini_xception, cnn8]"))
    printed = repository.ok(*command)
    assert set(ran(printed)) == {"check", "cost@cnn8", "compare", "review", "report"}
    assert all(f"cnn8-{fold}-0 (" in printed for fold in (0, 1)) and "cnn5-0-0 (" not in printed
    board = json.loads((repository.folder / "metrics/benchmark.json").read_text())
    assert set(board["models"]) == {"cnn5", "mini_xception", "cnn8"} and board["drawn_faces"]
    for model in board["models"]:
        runs = [repository.folder / f"data/benchmark/{model}/{fold}-0/metrics.json" for fold in (0, 1)]
        parts = [json.loads(run.read_text())["out_of_fold"] for run in runs]
        told = board["models"][model]["out_of_fold"]
        assert told["faces"] == sum(part["faces"] for part in parts)
        assert told["mean"]["macro_f1"] == pytest.approx(sum(part["macro_f1"] for part in parts) / 2, abs=2e-6)
        assert f" {model} " in printed
    cost = repository.folder / "data/costs/cnn5.json"
    cost.write_text(cost.read_text().replace('"device": "', '"device": "slow '))
    repository.ok("dvc", "--cd", "stages/benchmark", "commit", "-q", "-f", "cost@cnn5")
    assert ran(repository.ok(*command)) == ["compare", "report"]  # a slower model changes the comparison alone
    assert "slow " in (repository.folder / "plots/benchmark.html").read_text()
    assert ran(repository.ok("dvc", "repro", "evaluate")) == []
    shown = json.loads(repository.ok("dvc", "metrics", "show", "--json", "metrics/benchmark.json"))
    assert "cnn8" in json.dumps(shown)


def finished(project: Project, command: tuple[str, ...], *killed: str) -> set[str]:
    """Kill a command in each of the stages `killed`, then let it end; return the stages that it ran, each once."""
    begun = []
    for stage in killed:
        begun += killed_in(project, stage, *command)[:-1]
    begun += ran(project.ok(*command))
    assert len(begun) == len(set(begun)) and set(killed) <= set(begun), "a finished stage ran again"
    return set(begun)


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
    assert reproducible(repository) == reproducible(other)


def reproducible(project: Project) -> dict[str, list]:
    """The hashes of all outputs but those that contain the duration of the training."""
    timed = ("metrics/training.json", "plots/report.html")
    return {
        stage: [(path, md5) for path, md5 in outputs if path not in timed] for stage, outputs in hashes(project).items()
    }


def test_a_stage_declares_the_sections_of_params_that_it_loads():
    """Every section that a script loads is among the params of its stage, and no other."""
    keys = {"model", "seed", "launch", "faces_remote"}
    for stage, definition in STAGES:
        if stage == "check":
            continue  # it checks all of them
        text = script(definition).read_text()
        if "parse_run(" in text:
            text += (ROOT / "stages/training/run.py").read_text()
        loaded = {name.lower() for name in re.findall(r"\b([A-Z]\w+)\.load\(\)", text)} - {"general"}
        loaded |= {"train", "models"} if "load_recipe(" in text else set()
        loaded |= set(re.findall(r"General\.load\(\)\.(\w+)", text)) | set(re.findall(r"\bgeneral\.(\w+)", text))
        if listed := re.search(r"= read\((.+?)\)", text):
            loaded |= set(re.findall(r'"(\w+)"', listed[1]))
        declared = {re.sub(r"\..*", "", name) for name in definition.get("params", [])}
        given = {"--model": "model", "--seed": "seed"}
        loaded -= {name for option, name in given.items() if f"{option} " in definition["cmd"]}
        assert loaded == declared, (stage, loaded ^ declared)
        assert declared <= keys | set(YAML(typ="safe").load(ROOT / "params.yaml"))


@pytest.mark.slow
def test_the_exported_model_follows_the_trained_one(repository: Project, tmp_path: Path):
    command = ("dvc", "repro", "stages/publishing/dvc.yaml:export")
    said = ran(repository.ok(*command))
    assert said[-1] == "stages/publishing/dvc.yaml:export" and "train" in said and "report" not in said
    files = {file.name: file.read_bytes() for file in (repository.folder / "data/export").iterdir()}
    shown = json.loads(repository.ok("dvc", "metrics", "show", "--json", "metrics/export.json"))
    assert '"largest_difference"' in json.dumps(shown)
    assert ran(repository.ok(*command)) == []
    repository.ok("python", "-m", "stages.publishing.export")
    assert {file.name: file.read_bytes() for file in (repository.folder / "data/export").iterdir()} == files
    assert ran(repository.ok("dvc", "repro")) == ["explore", "evaluate", "explain", "report"]
    commit(repository)
    assert "stages/publishing/dvc.yaml:export" not in ran(repository.ok("dvc", "exp", "run", "-S", "train.lr=0.001"))
    assert ran(repository.ok(*command)) == ["stages/publishing/dvc.yaml:export"]

    # The folder of the model, copied elsewhere, is complete.
    folder = repository.folder.rename(tmp_path / "moved") / "data/model"
    assert ModelCard.load(folder / "README.md").data.license == "cc0-1.0"
    assert load(folder)[1]["architecture"] == "cnn5"
