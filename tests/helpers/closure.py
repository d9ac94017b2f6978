"""Which files of the project a stage can import, found in the text of its imports."""

import ast
from pathlib import Path

from helpers.project import ROOT

NETWORKS = "stages/models/networks.py"  # imports the files of this folder by their names
ARCHITECTURES = ROOT / "stages/architectures"


def closure(script: Path) -> set[str]:
    """Return every Python file under stages/ that `script` can import, itself included, as paths from the root.

    Architectures are left out, since a stage depends on the one that it uses by data/architectures/<model>.json, but
    what they import is not.
    """
    found, waiting = set(), [script]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            modules = _modules(file)
            if str(file.relative_to(ROOT)) == NETWORKS:
                modules |= {module for architecture in ARCHITECTURES.glob("*.py") for module in _modules(architecture)}
            waiting += [target for module in modules for target in _files(module)]
    return {str(file.relative_to(ROOT)) for file in found}


def _modules(file: Path) -> set[str]:
    """Return the names that `file` imports, wherever in it, with each `from package import name` as package.name."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _files(module: str) -> list[Path]:
    """Return the module's file, and the `__init__.py` of every package above it, as far as they exist."""
    parts = module.split(".")
    folders = [ROOT.joinpath(*parts[:length]) for length in range(1, len(parts) + 1)]
    candidates = [folder / "__init__.py" for folder in folders] + [ROOT.joinpath(*parts).with_suffix(".py")]
    return [candidate for candidate in candidates if candidate.exists()]
