"""Which pictures and videos a person names."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from stages.base.errors import InputError
from stages.datasets.decoding import FORMATS
from stages.prediction.video import SUFFIXES

NAMED = 3  # files that a message names, at most


class File(NamedTuple):
    """A file to predict.

    Attributes:
        path: the file, as it was named.
        name: the path from the folder that was named, or the name of a file that was named itself.
    """

    path: Path
    name: Path

    @property
    def is_video(self) -> bool:
        """Whether it is a video, by its name."""
        return self.path.suffix.lower() in SUFFIXES


def find_files(paths: Iterable[Path]) -> tuple[list[File], list[str | InputError]]:
    """Return the files at several paths, and remarks: what was left out, and what is wrong with a path.

    Of a folder, these are all pictures and videos in it and in its folders, by their names; hidden ones are left out.
    """
    files: list[File] = []
    remarks: list[str | InputError] = []
    for path in paths:
        try:
            found, note = _find(path)
        except InputError as error:
            remarks.append(error)
            continue
        files += found
        remarks += [note] if note else []
    return files, remarks


def check_outputs(files: Iterable[File], folder: Path) -> None:
    """Raise InputError if two of the annotated files would have the same path, or would replace one that is read."""
    sources, taken = {file.path.resolve() for file in files}, dict[Path, Path]()
    for file in files:
        output = output_path(file, folder)
        if output.resolve() in sources:
            raise InputError(f"--annotate: {output} is one of the files to read; choose another folder")
        if output in taken:
            raise InputError(
                f"--annotate: both {taken[output]} and {file.path} would become {output}; do one at a time"
            )
        taken[output] = file.path


def output_path(file: File, folder: Path) -> Path:
    """Return where the annotated file is written: a picture as JPEG, a video as MPEG-4."""
    return folder / file.name.with_suffix(".mp4" if file.is_video else ".jpg")


def _find(path: Path) -> tuple[list[File], str]:
    """Return the files at a path, and a note about what is left out of a folder, or ""; InputError if there is none."""
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if not path.is_dir():
        return [File(path, Path(path.name))], ""
    inside = [file for file in sorted(path.rglob("*")) if file.is_file() and not _hidden(file.relative_to(path))]
    files = [File(file, file.relative_to(path)) for file in inside if file.suffix.lower() in _suffixes()]
    if not files:
        raise InputError(f"{path}: there is no picture and no video in this folder")
    others = [str(file.relative_to(path)) for file in inside if file.suffix.lower() not in _suffixes()]
    examples = ", ".join(others[:NAMED]) + ", …" * (len(others) > NAMED)
    note = f"{path}: left out {len(others)} that are no pictures or videos by their names: {examples}"
    return files, note if others else ""


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


@cache
def _suffixes() -> frozenset[str]:
    Image.init()
    return frozenset(SUFFIXES) | {suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS}
