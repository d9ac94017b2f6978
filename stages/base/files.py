"""Reading of files that a stage or a person wrote, and hashes of files."""

import codecs
import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from stages.base.atomic import atomic_output
from stages.base.errors import InputError
from stages.base.section import validate

BYTE_ORDER_MARKS = {  # UTF-32 first: its mark begins with that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_json(path: Path, schema: type[BaseModel]) -> dict[str, Any]:
    """Return the object in a JSON file that a stage wrote.

    Args:
        path: the file.
        schema: what the object must contain.

    Raises:
        InputError: the file is missing or damaged, or its content does not fit; then the message names the key.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("no JSON object")
    except FileNotFoundError:
        raise InputError(f"{path}: missing; run the stage that writes it") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: damaged ({str(error)[:100]}); run the stage that writes it again") from None
    try:
        validate(schema, content, "", path)
    except InputError as error:
        raise InputError(f"{error}; run the stage that writes it again") from None
    return content


def write_json(content: object, path: Path) -> None:
    """Write `content` as indented JSON; the file at `path` is replaced in one step."""
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def decode(content: bytes) -> str:
    """Return a text in the encoding of its byte order mark; without one in UTF-8, or else in Windows-1252."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def check_size(path: Path, limit: int) -> None:
    """Raise ValueError if a file has more than `limit` bytes."""
    if path.stat().st_size > limit:
        raise ValueError(f"{path.name} has more than {limit:,} bytes")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
