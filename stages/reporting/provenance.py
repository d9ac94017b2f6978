"""The versions of the software that a run used."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("torch", "torchvision", "timm", "numpy", "pandas", "scikit-learn", "dvc")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the installed packages that affect the metrics most."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
