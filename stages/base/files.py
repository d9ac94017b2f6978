"""JSON files and SHA-256 hashes of files."""

import hashlib
import json
from pathlib import Path
from typing import Any

from stages.base.atomic import atomic_output


def read_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(content: object, path: Path) -> None:
    """Write `content` as indented JSON; the file at `path` is replaced in one step."""
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
