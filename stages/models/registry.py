"""The names of the architectures, each a file in `stages/architectures/`; importing this does not import torch."""

from pathlib import Path

ARCHITECTURES = Path(__file__).parents[1] / "architectures"


def architecture_names() -> list[str]:
    """Return the names of this project's architectures, sorted; those of timm are named `timm/…` and not listed."""
    return sorted(file.stem for file in ARCHITECTURES.glob("*.py") if file.stem.isidentifier())


def architecture_file(name: str) -> Path:
    """Return the path of the file that defines the architecture `name`."""
    return ARCHITECTURES / f"{name}.py"
