"""stages.sources.local on real, small archives."""

import hashlib
import io
import os
import stat
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

from helpers.project import ROOT
from stages.base.errors import InputError
from stages.base.params import Local
from stages.sources import local


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def mine(tmp_path):
    """Where the user keeps things."""
    mine = tmp_path / "mine"
    mine.mkdir()
    return mine


def fetch(path, folder: Path, sha256: str | None = None) -> dict:
    return local.fetch("ck48", Local(path=path and str(path), sha256=sha256), folder)


def refused(path, folder: Path, sha256: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        fetch(path, folder, sha256)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def zipped(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("CK+48/anger/S010_004_00000017.png", b"picture" * 100)
    return path


def tarred(path: Path, mode: str) -> Path:
    with tarfile.open(path, mode) as archive:
        member = tarfile.TarInfo("jaffedbase/KA.AN1.39.tiff")
        member.size = 700
        archive.addfile(member, io.BytesIO(b"picture" * 100))
    return path


def written(path: Path) -> Path:
    path.write_text("emotion,pixels,Usage\n0,70 80 82,Training\n")
    return path


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("ck48.zip", zipped),
        ("CK+48 of a friend.ZIP", zipped),
        ("zip-by-another-name.bin", zipped),
        ("jaffe.tar", lambda path: tarred(path, "w")),
        ("jaffe.tar.gz", lambda path: tarred(path, "w:gz")),
        ("jaffe.tar.bz2", lambda path: tarred(path, "w:bz2")),
        ("jaffe.tar.xz", lambda path: tarred(path, "w:xz")),
        ("fer2013.csv", written),
    ],
)
def test_a_file_is_copied_as_it_is(mine, folder, name, make):
    source = make(mine / name)
    provenance = fetch(source, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {name: source.read_bytes()}
    assert provenance == {
        "source": "local",
        "from": name,
        "version": None,
        "licence": "see its own terms",
        "drawn": False,
    }


def test_home_and_the_working_directory_are_understood(mine, folder, monkeypatch):
    zipped(mine / "ck48.zip")
    monkeypatch.setenv("HOME", str(mine))
    assert fetch("~/ck48.zip", folder)["from"] == "ck48.zip"
    monkeypatch.chdir(mine.parent)
    assert fetch("mine/ck48.zip", folder)["from"] == "ck48.zip"


def faces(folder: Path, names: list[str]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 50)
    return folder


NAMES = ["happy/b.png", "anger/a.png", "list.txt", "anger/ä.png", "anger.png"]


def test_a_folder_is_packed_file_by_file(mine, folder):
    assert fetch(faces(mine / "CK+48", NAMES), folder)["from"] == "CK+48"
    assert [path.name for path in folder.iterdir()] == ["ck48.zip"]
    with zipfile.ZipFile(folder / "ck48.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {n: n.encode() * 50 for n in NAMES}
        assert archive.namelist() == sorted(NAMES)
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}


PACK = """
import sys
from pathlib import Path
from stages.base.params import Local
from stages.sources import local
local.fetch("ck48", Local(path=sys.argv[1]), Path(sys.argv[2]))
"""


def test_equal_folders_give_equal_bytes(mine, tmp_path):
    """Whatever their order, dates, permissions and time zone, and what an operating system leaves lying about."""
    one, other = faces(mine / "CK+48", NAMES), faces(mine / "CK+48 again", NAMES[::-1])
    for path in other.rglob("*.png"):
        path.chmod(stat.S_IRUSR)
        os.utime(path, (0, 0))
    for litter in (".DS_Store", "anger/Thumbs.db", "__MACOSX/anger/._a.png"):
        faces(other, [litter])
    (other / "link.png").symlink_to(other / "list.txt")
    (other / "linked").symlink_to(one)

    sums = []
    for source, zone in ((one, "UTC"), (other, "Asia/Tokyo")):
        (tmp_path / zone).mkdir(parents=True)
        command = [sys.executable, "-c", PACK, str(source), str(tmp_path / zone)]
        subprocess.run(command, check=True, cwd=ROOT, env={"TZ": zone})
        sums.append(hashlib.sha256((tmp_path / zone / "ck48.zip").read_bytes()).hexdigest())
    assert sums[0] == sums[1] == "0ffe3028b3199aed5cb1fc72ed3829d22d0f6b3662daf955cbd014ef5617f68d"


def test_a_pinned_sum_is_checked(mine, folder):
    source = zipped(mine / "ck48.zip")
    right, wrong = hashlib.sha256(source.read_bytes()).hexdigest(), "0" * 64
    fetch(source, folder, right.upper())
    error = refused(source, folder, wrong)
    assert right in error and wrong in error and "sources.local.ck48.sha256" in error


def test_a_pinned_sum_is_of_the_packed_folder(mine, folder):
    source = faces(mine / "CK+48", NAMES)
    fetch(source, folder)
    fetch(source, folder, hashlib.sha256((folder / "ck48.zip").read_bytes()).hexdigest())


def test_no_path_names_the_key(folder):
    assert "params.yaml: sources.local.ck48.path is not set" in refused(None, folder)


def test_a_missing_path_is_told_in_full(mine, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(mine))
    assert f"there is no {mine}/ck48.zip" in refused("~/ck48.zip", folder)
    monkeypatch.chdir(mine)
    assert f"there is no {mine}/ck48.zip" in refused("ck48.zip", folder)


def cut(path: Path, bytes_left: int) -> Path:
    path.write_bytes(path.read_bytes()[:bytes_left])
    return path


def empty_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("CK+48")
    return path


def content(content: bytes):
    return lambda path: path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("ck48.zip", content(b""), "is empty (0 bytes)"),
        ("fer2013.csv", content(b""), "is empty (0 bytes)"),
        ("ck48", Path.mkdir, "holds no files"),
        ("ck48", lambda path: (path / "anger").mkdir(parents=True), "holds no files"),
        ("ck48.zip", empty_zip, "an archive without files"),
        ("ck48.tar", lambda path: tarfile.open(path, "w").close(), "an archive without files"),
        ("ck48.zip", lambda path: cut(zipped(path), 400), "is cut short or damaged"),
        ("ck48.tar.gz", lambda path: cut(tarred(path, "w:gz"), 40), "is cut short or damaged"),
        ("ck48.tar.bz2", lambda path: cut(tarred(path, "w:bz2"), 40), "or only the beginning of one"),
        ("ck48.zip", content(b"<html>Please sign in</html>"), "is not a zip, tar or csv file"),
        ("ck48.rar", content(b"Rar!\x1a\x07\x01\x00" * 9), "is not a zip, tar or csv file"),
        ("table.csv", content(b"\x89PNG,\r\n\x1a\n\0"), "is not a zip, tar or csv file"),
        ("table.csv", content(b"Please sign in"), "is not a zip, tar or csv file"),
        ("table.txt", written, "is not a zip, tar or csv file"),
        ("pipe", os.mkfifo, "is neither a file nor a folder"),
    ],
)
def test_what_is_no_archive_is_refused(mine, folder, name, make, words):
    make(mine / name)
    error = refused(mine / name, folder)
    assert words in error and str(mine / name) in error and "sources.local.ck48.path" in error


def test_a_file_name_that_is_no_text_is_refused(mine, folder):
    (mine / os.fsdecode(b"a\xff.png")).write_bytes(b"picture")
    assert "not in UTF-8" in refused(mine, folder)


@pytest.mark.parametrize("name", ["ck48.zip", "ck48", "ck48/anger", "ck48/anger/a.png"])
def test_no_permission_is_told(name):
    with tempfile.TemporaryDirectory() as place:  # not tmp_path, which is its owner's alone
        mine, folder = Path(place), Path(place, "out")
        faces(mine / "ck48", NAMES)
        zipped(mine / "ck48.zip")
        folder.mkdir()
        mine.chmod(0o755), folder.chmod(0o777), (mine / name).chmod(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)  # the superuser may read everything
        try:
            error = refused(mine / Path(name).parts[0], folder)
        finally:
            os.seteuid(user)
            (mine / name).chmod(0o700)
    assert f"{mine / name}: Permission denied" in error
