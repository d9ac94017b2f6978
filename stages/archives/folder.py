"""The files of a folder, through the links within it."""

import os
from pathlib import Path

from stages.archives.names import is_litter, short_name
from stages.base.errors import InputError


def list_files(source: Path) -> list[str]:
    """Return the regular files in a folder and its subfolders, as sorted relative paths with forward slashes.

    Links that lead to a file or folder within `source` count as what they lead to; `is_litter` is left out.

    Raises:
        InputError: a link leads out of the folder, nowhere, or to a folder that it lies in; or something is neither
            a file nor a folder.
        OSError: a folder cannot be read.
    """
    root = source.resolve()
    names: list[str] = []

    def walk(folder: Path, name: str, above: tuple[Path, ...]) -> None:
        for entry in os.scandir(folder):
            relative = name + entry.name
            if is_litter(entry.name if entry.is_file() else f"{entry.name}/"):
                continue
            path = Path(entry.path)
            if entry.is_symlink():
                path = _follow(path, relative, root, above)
            if path.is_dir():
                walk(path, f"{relative}/", (*above, path.resolve()))
            elif path.is_file():
                names.append(relative)
            else:
                raise InputError(f"{short_name(relative)} is neither a file nor a folder; remove it")

    walk(source, "", (root,))
    return sorted(names)


def _follow(link: Path, name: str, root: Path, above: tuple[Path, ...]) -> Path:
    target = link.resolve()
    quoted = f"{short_name(name)} is a link to {short_name(str(link.readlink()))}"
    if not target.exists():
        raise InputError(f"{quoted}, which does not exist; remove it")
    if not target.is_relative_to(root):
        raise InputError(f"{quoted}, out of the folder; put the files themselves in its place")
    if target in above:
        raise InputError(f"{quoted}, the folder that it lies in; remove it")
    return target
