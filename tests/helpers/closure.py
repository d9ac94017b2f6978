"""Which files of the project a stage can import, found in the text of its imports."""

import ast
from pathlib import Path

from helpers.project import ROOT


def closure(script: Path) -> set[str]:
    """Every Python file under stages/ that `script` can import, itself included, as paths from the root."""
    found, waiting = set(), [script]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += [target for module in _modules(file) for target in _files(module)]
    return {str(file.relative_to(ROOT)) for file in found}


def _modules(file: Path) -> set[str]:
    """The names that `file` imports, wherever in it, with each `from package import name` as package.name too."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _files(module: str) -> list[Path]:
    """The module's file, and the `__init__.py` of every package above it, where there are such files."""
    parts = module.split(".")
    places = [ROOT.joinpath(*parts[:length]) for length in range(1, len(parts) + 1)]
    candidates = [place / "__init__.py" for place in places] + [ROOT.joinpath(*parts).with_suffix(".py")]
    return [candidate for candidate in candidates if candidate.exists()]
