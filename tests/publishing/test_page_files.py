"""The files of the page, without a browser."""

import json
import re
import sys
from pathlib import Path
from types import ModuleType

import onnxruntime
import pytest

from stages.base.errors import InputError
from stages.datasets import crop
from stages.detection import detector, tiles
from stages.prediction import tracking
from stages.publishing import runtime
from stages.publishing.exported import Facts, read_facts
from stages.publishing.site import DETECTOR, SOURCES, hosted, one_file, resources

FACTS = Facts(["happy", "</script>"], 48, 1, {"ck48": {"licence": "for <research>", "drawn": False}}, "Terms & so on.")


@pytest.fixture
def stand_ins(tmp_path: Path) -> tuple[Path, Path]:
    """A model and a runtime that are none."""
    for name in runtime.NEEDED:
        (tmp_path / name).write_bytes(b"// a stand-in")
    (tmp_path / "model.onnx").write_bytes(b"a model")
    return tmp_path / "model.onnx", tmp_path


def test_the_same_model_gives_the_same_bytes_and_another_one_a_new_version(stand_ins: tuple[Path, Path]):
    first, second = (resources(*stand_ins, FACTS) for _ in range(2))
    assert hosted(first, FACTS) == hosted(second, FACTS) and one_file(first, FACTS) == one_file(second, FACTS)
    stand_ins[0].write_bytes(b"another model")
    other = hosted(resources(*stand_ins, FACTS), FACTS)
    assert (
        other["model.onnx"] != first.worker["model.onnx"] and other["offline.js"] != hosted(first, FACTS)["offline.js"]
    )


def test_every_module_is_in_the_page_and_texts_of_the_model_are_text(stand_ins: tuple[Path, Path]):
    loaded = resources(*stand_ins, FACTS)
    modules = {path.name for path in (SOURCES / "modules").iterdir()}
    networks = {"blazeface.onnx", "model.onnx", "model.json", *runtime.NEEDED}
    assert loaded.page.keys() | loaded.worker.keys() == modules | networks
    assert loaded.worker["blazeface.onnx"] == (DETECTOR / "blazeface.onnx").read_bytes()
    for html in (hosted(loaded, FACTS)["index.html"], one_file(loaded, FACTS)):
        assert b"&lt;/script&gt;" in html and b"for &lt;research&gt;" in html and b"Terms &amp; so on." in html
        page, licences = html.split(b"<details>")
        assert b"://" not in page and b"THIRD PARTY SOFTWARE NOTICES" in licences and b"Apache License" in licences


def test_the_packages_of_npm_are_pinned_by_hash_and_name_no_host():
    text = (SOURCES / "package-lock.json").read_text()
    _, *packages = json.loads(text)["packages"].values()
    assert packages and all(package["integrity"].startswith("sha512-") for package in packages)
    assert "://" not in text


def test_without_npm_or_a_network_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    fails = tmp_path / "npm"
    fails.write_text("#!/bin/sh\necho 'npm error network' >&2\nexit 1\n")
    fails.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(InputError, match=r"npm ci failed \(npm error network\); is there a network"):
        runtime.main()
    fails.unlink()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="npm is missing; install Node.js"):
        runtime.main()
    assert not (tmp_path / "data/runtime").exists()


@pytest.mark.parametrize("content", [b"not a model", (DETECTOR / "blazeface.onnx").read_bytes(), None])
def test_what_is_no_exported_model_is_refused_in_one_line(tmp_path: Path, content: bytes | None):
    onnxruntime.set_default_logger_severity(4)
    if content:
        (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(InputError, match="model.onnx: no exported model; run `dvc repro stages/publishing/dvc.yaml`"):
        read_facts(tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("module", "python", "others"),
    [
        ("crop", crop, {"CENTRE"}),
        ("detector", detector, {"BATCH"}),  # of one tile, since the page tells its progress
        ("tiles", tiles, {"PARTS"}),
        ("tracking", tracking, {"LOOK"}),
    ],
)
def test_settings_are_those_of_python(module: str, python: ModuleType, others: set[str]):
    text = (SOURCES / f"modules/{module}.js").read_text()
    numbers = {name: value for name, value in vars(python).items() if name.isupper() and isinstance(value, int | float)}
    told = dict(re.findall(r"^const ([A-Z_]+) = (?:Math\.fround\()?([\d.]+)", text, re.MULTILINE))
    assert {name: float(value) for name, value in told.items()} == {
        name: value for name, value in numbers.items() if name not in others
    }
