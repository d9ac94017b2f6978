"""Names of archive members: normalised, and those of files that operating systems add."""

import re
import unicodedata
from contextlib import suppress

import stages.archives.text  # noqa: F401 (registers the error handler "latin-1")
from stages.base.errors import InputError

MAX_NAME = 400  # characters; file systems allow 255 for a part of a path
PLAIN = re.compile(r"[\w+ ()-][\w.+ ()-]*(/[\w+ ()-][\w.+ ()-]*)*", re.ASCII)  # nothing to normalise, no litter
LITTER_FOLDERS = {"__macosx", ".spotlight-v100", ".trashes", ".fseventsd", "$recycle.bin", "@eadir"}
LITTER_FOLDERS |= {"system volume information", ".ipynb_checkpoints"}
LITTER = re.compile(r"(?:^|[/\\])(?:[.$_@]|Icon|System|e?h?Thumbs|desktop)", re.IGNORECASE)  # how each of them begins
LITTER_FILES = {".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", ".directory", "icon\r", ".localized"}


def clean_name(name: str, prefix: str = "") -> str:
    r"""Return `prefix` and a member's path in one form, whichever system wrote it.

    Parts are separated by "/", without "", "." and ".."; letters are composed (Unicode NFC); bytes that are not UTF-8
    are read as Latin-1. Characters that are no text (control, format and line separator characters) are replaced by
    escapes such as `\x0a`, so that a name is always one line and can be written as UTF-8.

    Raises:
        InputError: the result is longer than `MAX_NAME`.
    """
    name = prefix + (name if PLAIN.fullmatch(name) else _normalise(name))
    if len(name) > MAX_NAME:
        raise InputError(f"{shorten(name)}: a file name of {len(name)} characters; rename the file")
    return name


def shorten(name: str) -> str:
    """Return a name for a message: the middle of a long one is left out."""
    return name if len(name) <= 100 else f"{name[:50]}...{name[-45:]}"


def short_name(name: str) -> str:
    """Return a name as it stands in an archive or a folder, for a message."""
    return shorten(clean_name(name))


def is_litter(name: str) -> bool:
    """Return whether an operating system added this file: it is no data, and is left out."""
    if not LITTER.search(name):
        return False
    *folders, file = name.lower().replace("\\", "/").split("/")
    return file.startswith("._") or file in LITTER_FILES or not LITTER_FOLDERS.isdisjoint(folders)


def _normalise(name: str) -> str:
    with suppress(UnicodeEncodeError):  # bytes that are not UTF-8 have been read as surrogates
        name = name.encode("utf-8", "surrogateescape").decode("utf-8", "latin-1")
    name = unicodedata.normalize("NFC", name)
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "".join(_escape(character) for character in "/".join(parts))


def _escape(character: str) -> str:
    if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
