"""Architectures are found by the names of their files."""

import subprocess
import sys

from helpers.project import ROOT, Project
from stages.models.registry import architecture_file, architecture_names

NAMES_WITHOUT_TORCH = """
import sys
from stages.models.registry import architecture_names
assert "cnn5" in architecture_names()
assert "torch" not in sys.modules
"""
NEW_ARCHITECTURE = """
from torch import nn

PRETRAINED = None


def build(classes, channels, size, dropout):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size**2, classes))
"""


def test_the_folder_holds_architectures_only() -> None:
    files = {file.name for file in architecture_file("cnn5").parent.iterdir() if file.is_file()}
    assert files == {f"{name}.py" for name in architecture_names()} and len(files) == 16
    assert architecture_names() == sorted(architecture_names())


def test_the_names_are_known_without_torch() -> None:
    subprocess.run([sys.executable, "-c", NAMES_WITHOUT_TORCH], cwd=ROOT, check=True)


def test_a_new_file_is_a_new_architecture(project: Project) -> None:
    (project.folder / "stages/architectures/linear.py").write_text(NEW_ARCHITECTURE)
    command = "from stages.models.networks import build; print(build('linear', 7, 3, 16, None)[1].weight.shape)"
    assert project.ok("python", "-c", command).strip() == "torch.Size([7, 768])"
