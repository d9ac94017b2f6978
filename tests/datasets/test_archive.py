"""Reading of archives: formats, damage, limits; nothing is written to disk."""

import gzip
import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from stages.base.errors import InputError
from stages.datasets import archive
from stages.datasets.archive import Archive

FILES = {"a/one.png": b"1" * 3000, "b/two.png": bytes(range(256)) * 20}


def write_zip(path: Path, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as out:
        out.mkdir("a")
        for name, content in FILES.items():
            out.writestr(name, content)
    return path


def write_tar(path: Path, mode: str) -> Path:
    with tarfile.open(path, mode) as out:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("c/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        out.addfile(link)
    return path


def contents(folder: Path) -> dict[str, bytes | None]:
    return {member.name: member.read() for member in Archive(folder)}


def test_zip_and_compressed_tar_files_give_the_same_members(tmp_path: Path):
    for number, mode in enumerate(["w", "w:gz", "w:bz2", "w:xz"]):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_tar(folder / "x.tar", mode)
        assert contents(folder) == FILES
    folder = tmp_path / "zip"
    folder.mkdir()
    write_zip(folder / "x.zip")
    assert contents(folder) == FILES
    assert [path.name for path in folder.iterdir()] == ["x.zip"]


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_a_truncated_archive_raises_input_error(tmp_path: Path, kind: str, share: float):
    path = tmp_path / f"x.{kind}"
    write_zip(path) if kind == "zip" else write_tar(path, "w:gz" if kind == "tar.gz" else "w")
    content = path.read_bytes()
    if kind == "tar":  # only padding follows the last member
        content = content[: 512 * 2 + 3072 + 5120]
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match="download or copy the file again"):
        contents(tmp_path)


def test_a_changed_byte_raises_input_error(tmp_path: Path):
    path = write_zip(tmp_path / "x.zip", zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"1111", b"1121", 1))
    with pytest.raises(InputError, match="a/one.png"):
        contents(tmp_path)


def test_a_corrupt_tar_xz_raises_input_error(tmp_path: Path):
    path = tmp_path / "x.tar.xz"
    with tarfile.open(path, "w:xz") as out:
        for number in range(20):
            member = tarfile.TarInfo(f"{number}.png")
            member.size = 20_000
            out.addfile(member, io.BytesIO(random.Random(number).randbytes(member.size)))
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + b"\xff" * 50 + content[middle + 50 :])
    with pytest.raises(InputError, match="Corrupt input data.*download or copy the file again"):
        contents(tmp_path)


def test_a_file_that_is_not_an_archive_raises_input_error(tmp_path: Path):
    (tmp_path / "x.zip").write_text("<html>Sign in</html>")
    with pytest.raises(InputError, match="x.zip"):
        contents(tmp_path)


def test_a_member_over_the_size_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "MAX_MEMBER_BYTES", 4000)
    write_zip(tmp_path / "x.zip")
    assert contents(tmp_path) == {"a/one.png": FILES["a/one.png"], "b/two.png": None}


def test_lines_are_utf8_text_of_limited_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "x.csv").write_bytes("\ufeffemotion,pixels\n0,1\n".encode())
    assert [list(member.lines()) for member in Archive(tmp_path)] == [["emotion,pixels\n", "0,1\n"]]
    with monkeypatch.context() as patch, pytest.raises(InputError, match=r"x\.csv:1: the line is longer than 10 bytes"):
        patch.setattr(archive, "MAX_LINE_BYTES", 10)
        [list(member.lines()) for member in Archive(tmp_path)]
    (tmp_path / "x.csv").write_bytes(gzip.compress(b"emotion"))
    with pytest.raises(InputError, match="not UTF-8 text"):
        [list(member.lines()) for member in Archive(tmp_path)]
