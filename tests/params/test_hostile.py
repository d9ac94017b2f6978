"""Damaged and hostile params.yaml: one line of at most 300 characters, soon and with little memory."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from helpers.generated import MANY
from helpers.project import ROOT
from stages.base.errors import InputError
from stages.base.section import MAX_BYTES
from stages.params.complete import Params

TEXT = (ROOT / "params.yaml").read_text()
BOMB = ", ".join([f"&a{n} [{', '.join([f'*a{n - 1}' if n else 'lol'] * 9)}]" for n in range(10)])
HOSTILE = {
    "a date that does not exist": ("seed: 0", "seed: 2024-13-45"),
    "a text tagged as a number": ("seed: 0", "seed: !!int abc"),
    "a text tagged as a fraction": ("seed: 0", "seed: !!float abc"),
    "a text tagged as a date": ("seed: 0", "seed: !!timestamp abc"),
    "a text tagged as binary": ("seed: 0", "seed: !!binary abc"),
    "a Python object": ("seed: 0", "seed: !!python/object/apply:os.system [id]"),
    "5,000 digits": ("seed: 0", f"seed: {'9' * 5000}"),
    "4,000 digits": ("epochs: 12", f"epochs: {'9' * 4000}"),
    "a hexadecimal number of 5,000 digits": ("seed: 0", f"seed: 0x{'f' * 5000}"),
    "more epochs than can be counted": ("epochs: 12", "epochs: 99999999999999999999"),
    "a batch that no memory holds": ("batch_size: 32", "batch_size: 4294967296"),
    "an exponent of 999,999": ("seed: 0", "seed: 1e999999"),
    "a text of 60,000 characters": ("seed: 0", f"seed: {'x' * 60_000}"),
    "an unknown key of 60,000 characters": ("seed: 0", f"{'x' * 60_000}: 0"),
    "a line end in a key": ("seed: 0", '"se\\ned": 0'),
    "a line end in a value": ("model: cnn5", 'model: "cn\\nn5"'),
    "a lone surrogate": ("model: cnn5", 'model: "\\udcff"'),
    "aliases of aliases": ("seed: 0", f"seed: [{BOMB}]"),
    "an alias of itself": ("seed: 0", "seed: &a [*a]"),
    "an alias of nothing": ("seed: 0", "seed: *a"),
    "many aliases of one text": ("seed: 0", f"b: &b {'x' * 1000}\nseed: [{', '.join(['*b'] * 1000)}]"),
    "3,000 levels": ("seed: 0", f"seed: {'[' * 3000}{']' * 3000}"),
    "20,000 levels": ("seed: 0", f"seed: {'[' * 20_000}"),
    "100,000 levels": ("seed: 0", f"seed: {'[' * 100_000}"),
    "20,000 mappings": ("seed: 0", f"seed: {'{a: ' * 15_000}"),
    "a file larger than any": ("seed: 0", "seed: 0\n" + "# comment\n" * 100_000),
    "two documents": ("seed: 0", "seed: 0\n---\nseed: 0"),
    "a model for another folder": ("cnn5: {}", "../../cnn5: {}\n  cnn5: {}"),
    "a model for the shell": ("cnn5: {}", '"$(id)": {}\n  cnn5: {}'),
    "a model for a chart": ("cnn5: {}", "a$b$: {}\n  cnn5: {}"),
    "a model that is a list": ("cnn5: {}", "cnn5: []"),
    "a command after the launcher": ("launch: python", "launch: python; id; python"),
    "a command in the launcher": ("launch: python", "launch: python $(id)"),
    "a pipe after the launcher": ("launch: python", "launch: torchrun --standalone | tee log"),
    "a file for the launcher's output": ("launch: python", "launch: python > log"),
    "a second line of the launcher": ("launch: python", 'launch: "python\\nid"'),
    "a variable in the launcher": ("launch: python", "launch: python ${HOME}"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_in_one_short_line(tmp_path: Path, name: str):
    right, wrong = HOSTILE[name]
    assert right in TEXT
    refused(tmp_path / "params.yaml", TEXT.replace(right, wrong, 1).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"seed: \xe9",
        TEXT.encode("utf-16"),
        b"seed: \0",
        b"- 1",
        b"null",
        b"&a [*a]",
        b"\t",
        b"%YAML 9",
    ],
)
def test_another_file_is_refused_in_one_short_line(tmp_path: Path, content: bytes):
    refused(tmp_path / "params.yaml", content)


def test_a_folder_in_its_place_is_one_line(tmp_path: Path):
    (tmp_path / "params.yaml").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "stages.check"],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stderr == "ERROR: params.yaml: Is a directory\n"


def test_a_launcher_keeps_its_options(tmp_path: Path):
    path, launch = (
        tmp_path / "params.yaml",
        "torchrun --nnodes=2 --rdzv-endpoint=host-1.example:29500 --log-dir /tmp/a_b",
    )
    path.write_text(TEXT.replace("launch: python", f"launch: {launch}", 1))
    assert Params.load(path).launch == launch


def refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        Params.load(path)
    check_message(str(error.value))


def check_message(message: str) -> None:
    assert len(message) <= 300 and message.isprintable(), message


# Generated files: the one in the repository with a few changes.

SNIPPETS = """
~ null .nan .inf -.inf 1e-400 1e400 0x 0o7 1_000 2024-01-01 12:30:45 yes true -1 0 1 2 1.5 [] {} [[]] [0,1] &a *a &a[*a]
!!int !!str !!bool~ <<: ' " | > ?x -- % @ ` cnn5 vit_b16 timm/resnet18 weights ck48 random kaggle local python
""".split()  # noqa: SIM905
SPACED = ["", "- -", "? x", "{a: 1}", "&a [*a]", "!!set {a}", "!!omap [a: 1]", "!!float -", "!x y", "{choices: [1, 2]}"]
SCALARS = some.one_of(
    some.sampled_from(SNIPPETS + SPACED),
    some.integers().map(str),
    some.floats().map(repr),
    some.text(max_size=20),
    some.integers(1, 6000).map(lambda count: "9" * count),
    some.integers(1, 3000).map(lambda count: "[" * count),
    some.integers(1, 3000).map(lambda count: "{a: " * count),
    some.integers(1, 40_000).map(lambda count: "x" * count),
)
LINES = TEXT.splitlines()
ONE_CHANGE = some.tuples(
    some.sampled_from(["value", "key", "insert", "drop", "repeat", "cut", "bytes"]), some.integers(0, len(LINES) - 1),
    SCALARS, some.integers(0, 200),
)  # fmt: skip


def changed(changes: list[tuple[str, int, str, int]]) -> bytes:
    """Return the content of params.yaml with these changes, each at a line."""
    lines = list(LINES)
    raw = []
    for kind, number, scalar, column in changes:
        line = lines[number]
        key, colon, value = line.partition(": ")
        match kind:
            case "value" if colon:
                lines[number] = f"{key}: {scalar}"
            case "key":
                lines[number] = f"{line[: len(line) - len(line.lstrip())]}{scalar}: {value}"
            case "insert":
                lines[number] = f"{line[:column]}{scalar}{line[column:]}"
            case "drop":
                lines[number] = ""
            case "repeat":
                lines[number] = f"{line}\n{line}"
            case "cut":
                lines[number] = line[:column]
            case "bytes":
                raw.append((number * 50 + column, scalar.encode("utf-16-le", "surrogatepass")))
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    for position, inserted in raw:
        content = content[:position] + inserted[:20] + content[position + 5 :]
    return content


def check_changed(path: Path, changes: list[tuple[str, int, str, int]]) -> None:
    path.write_bytes(changed(changes))
    try:
        params = Params.load(path)
        params.check_benchmark()
    except InputError as error:
        check_message(str(error))
        return
    assert params.recipe.arch and path.stat().st_size <= MAX_BYTES


ANY_CHANGES = some.lists(ONE_CHANGE, min_size=1, max_size=4)
ONCE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@given(changes=ANY_CHANGES)
@settings(ONCE, max_examples=300)
def test_a_changed_file_is_loaded_or_refused_in_one_short_line(tmp_path: Path, changes: list):
    check_changed(tmp_path / "params.yaml", changes)


@pytest.mark.slow
@given(changes=ANY_CHANGES)
@settings(ONCE, max_examples=MANY)
def test_many_changed_files_are_loaded_or_refused_in_one_short_line(tmp_path: Path, changes: list):
    check_changed(tmp_path / "params.yaml", changes)
