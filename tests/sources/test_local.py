"""Local archives: copied and packed bytes, dates, and errors."""

import hashlib
import io
import os
import random
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

import pytest

from helpers.archives import LIMITS
from helpers.project import ROOT
from stages.base.errors import InputError
from stages.params.sources import Local
from stages.sources import local


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def user_folder(tmp_path):
    """A folder for the user's own archives."""
    user_folder = tmp_path / "user"
    user_folder.mkdir()
    return user_folder


def fetch(path, folder: Path, sha256: str | None = None) -> dict:
    return local.fetch("ck48", Local(path=path and str(path), sha256=sha256), folder, limits=LIMITS)


def refused(path, folder: Path, sha256: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        fetch(path, folder, sha256)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("CK+48/anger/S010_004_00000017.png"), b"image" * 100)
    return path


def write_tar(path: Path, mode: str) -> Path:
    with tarfile.open(path, mode) as archive:
        member = tarfile.TarInfo("jaffedbase/KA.AN1.39.tiff")
        member.size = 500
        archive.addfile(member, io.BytesIO(b"image" * 100))
    return path


def write_csv(path: Path) -> Path:
    path.write_text("emotion,pixels,Usage\n0,70 80 82,Training\n")
    return path


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("ck48.zip", write_zip),
        ("CK+48 of a friend.ZIP", write_zip),
        ("zip-by-another-name.bin", write_zip),
        ("jaffe.tar", lambda path: write_tar(path, "w")),
        ("jaffe.tar.gz", lambda path: write_tar(path, "w:gz")),
        ("jaffe.tar.bz2", lambda path: write_tar(path, "w:bz2")),
        ("jaffe.tar.xz", lambda path: write_tar(path, "w:xz")),
        ("fer2013.csv", write_csv),
    ],
)
def test_a_file_is_copied_unchanged(user_folder, folder, name, make):
    source = make(user_folder / name)
    provenance = fetch(source, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {name: source.read_bytes()}
    assert provenance == {
        "source": "local",
        "from": name,
        "version": None,
        "licence": "see its own terms",
        "drawn": False,
        "date": None,  # 1980-01-01 and 1970-01-01 stand for no date
    }


def dated_zip(path: Path, *dates: tuple[int, int, int]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number, date in enumerate(dates):
            archive.writestr(zipfile.ZipInfo(f"{number}.png", (*date, 23, 59, 58)), b"image")
        archive.writestr(zipfile.ZipInfo("folder/", (2030, 1, 1, 0, 0, 0)), b"")
    return path


def dated_tar(path: Path, *seconds: float) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for number, mtime in enumerate(seconds):
            member = tarfile.TarInfo(f"{number}.png")
            member.mtime = mtime
            archive.addfile(member)
        folder = tarfile.TarInfo("folder")
        folder.type, folder.mtime = tarfile.DIRTYPE, 2**31
        archive.addfile(folder)
    return path


@pytest.mark.parametrize(
    ("make", "date"),
    [
        (lambda path: dated_zip(path, (2018, 7, 3), (2019, 2, 28), (1980, 1, 1)), "2019-02-28"),
        (lambda path: dated_zip(path, (2018, 0, 0), (2017, 12, 31)), "2017-12-31"),
        (lambda path: dated_zip(path, (1980, 1, 1), (1980, 0, 0)), None),
        (lambda path: dated_tar(path, 0, 946684799, 946684799.5), "1999-12-31"),
        (lambda path: dated_tar(path, 946684800, 2.0**60), "2000-01-01"),
        (lambda path: dated_tar(path, 0), None),
        (write_csv, None),
    ],
)
def test_the_date_is_that_of_the_newest_file_in_an_archive(user_folder, folder, make, date, monkeypatch):
    source = make(user_folder / "ck48.csv")
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        os.utime(source, (0, 0) if zone == "Pacific/Auckland" else (2e9, 2e9))
        assert fetch(source, folder)["date"] == date
    monkeypatch.undo()
    time.tzset()


def test_a_folder_has_no_date(user_folder, folder):
    assert fetch(write_files(user_folder / "CK+48", NAMES), folder)["date"] is None


def test_paths_relative_to_home_and_to_the_working_directory(user_folder, folder, monkeypatch):
    write_zip(user_folder / "ck48.zip")
    monkeypatch.setenv("HOME", str(user_folder))
    assert fetch("~/ck48.zip", folder)["from"] == "ck48.zip"
    monkeypatch.chdir(user_folder.parent)
    assert fetch("user/ck48.zip", folder)["from"] == "ck48.zip"


def write_files(folder: Path, names: list[str]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 50)
    return folder


NAMES = ["happy/b.png", "anger/a.png", "list.txt", "anger/ä.png", "anger.png"]


def test_a_folder_is_packed_file_by_file(user_folder, folder):
    assert fetch(write_files(user_folder / "CK+48", NAMES), folder)["from"] == "CK+48"
    assert [path.name for path in folder.iterdir()] == ["ck48.zip"]
    with zipfile.ZipFile(folder / "ck48.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {n: n.encode() * 50 for n in NAMES}
        assert archive.namelist() == sorted(NAMES)
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}


PACK = """
import sys
from pathlib import Path
from stages.params.data import Limits
from stages.params.sources import Local
from stages.sources import local
limits = Limits(gigabytes=1, expansion=100, members=1000, rejected=1000, unreadable=0.02)
local.fetch("ck48", Local(path=sys.argv[1]), Path(sys.argv[2]), limits=limits)
"""


def test_equal_folders_give_equal_bytes(user_folder, tmp_path):
    """Order, dates, permissions, time zone and files of the operating system make no difference, nor do links."""
    one, other = write_files(user_folder / "CK+48", NAMES), write_files(user_folder / "CK+48 again", NAMES[::-1])
    for path in other.rglob("*.png"):
        path.chmod(stat.S_IRUSR)
        os.utime(path, (0, 0))
    for name in (".DS_Store", "anger/Thumbs.db", "__MACOSX/anger/._a.png", "anger/._b.png"):
        write_files(other, [name])
    (other / "$RECYCLE.BIN").mkdir()
    (other / "happy/b.png").rename(other / "$RECYCLE.BIN/b.png")
    (other / "happy/b.png").symlink_to(other / "$RECYCLE.BIN/b.png")

    sums = []
    for source, zone in ((one, "UTC"), (other, "Asia/Tokyo")):
        (tmp_path / zone).mkdir(parents=True)
        command = [sys.executable, "-c", PACK, str(source), str(tmp_path / zone)]
        subprocess.run(command, check=True, cwd=ROOT, env={"TZ": zone})
        sums.append(hashlib.sha256((tmp_path / zone / "ck48.zip").read_bytes()).hexdigest())
    assert sums[0] == sums[1] == "0ffe3028b3199aed5cb1fc72ed3829d22d0f6b3662daf955cbd014ef5617f68d"


def test_a_link_to_a_folder_in_the_folder_is_followed(user_folder, folder):
    write_files(user_folder / "CK+48", ["faces/a.png"])
    (user_folder / "CK+48/anger").symlink_to("faces")
    fetch(user_folder / "CK+48", folder)
    with zipfile.ZipFile(folder / "ck48.zip") as archive:
        assert archive.namelist() == ["anger/a.png", "faces/a.png"]


@pytest.mark.parametrize(
    ("target", "words"), [("/etc", "out of the folder"), ("nowhere", "does not exist"), ("..", "that it lies in")]
)
def test_a_link_that_cannot_be_followed_raises_input_error_with_its_name(user_folder, folder, target, words):
    write_files(user_folder / "CK+48", NAMES)
    (user_folder / "CK+48/happy/more").symlink_to(target)
    error = refused(user_folder / "CK+48", folder)
    assert words in error and "happy/more is a link" in error


@pytest.mark.parametrize("name", ["ck48.zip", "archives/ck48.zip", "../ck48.zip"])
def test_a_relative_path_starts_at_the_clone_in_dvcs_copies_of_it_too(tmp_path, monkeypatch, name):
    clone = tmp_path / "clone"
    copy = clone / ".dvc/tmp/exps/standalone/abc"
    for place in (clone, copy):
        place.mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(place)
        assert local.locate(name) == Path(os.path.normpath(clone / name))


def test_an_archive_named_as_the_file_of_the_provenance_is_renamed(user_folder, folder):
    write_csv(user_folder / "source.json")
    fetch(user_folder / "source.json", folder)
    assert [path.name for path in folder.iterdir()] == ["archive-source.json"]


def test_a_wrong_hash_raises_input_error(user_folder, folder):
    source = write_zip(user_folder / "ck48.zip")
    right, wrong = hashlib.sha256(source.read_bytes()).hexdigest(), "0" * 64
    fetch(source, folder, right.upper())
    error = refused(source, folder, wrong)
    assert right in error and wrong in error and "sources.local.ck48.sha256" in error


def test_the_hash_of_a_folder_is_that_of_the_packed_file(user_folder, folder):
    source = write_files(user_folder / "CK+48", NAMES)
    fetch(source, folder)
    fetch(source, folder, hashlib.sha256((folder / "ck48.zip").read_bytes()).hexdigest())


def test_without_a_path_the_error_names_the_key(folder):
    assert "params.yaml: sources.local.ck48.path is not set" in refused(None, folder)


def test_the_error_for_a_missing_file_has_the_full_path(user_folder, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(user_folder))
    assert f"{user_folder}/ck48.zip does not exist" in refused("~/ck48.zip", folder)
    monkeypatch.chdir(user_folder)
    assert f"{user_folder}/ck48.zip does not exist" in refused("ck48.zip", folder)


def cut(path: Path, bytes_left: int) -> Path:
    path.write_bytes(path.read_bytes()[:bytes_left])
    return path


def empty_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("CK+48")
    return path


def corrupt_tar_xz(path: Path) -> None:
    with tarfile.open(path, "w:xz") as archive:
        for number in range(20):
            member = tarfile.TarInfo(f"{number}.png")
            member.size = 20_000
            archive.addfile(member, io.BytesIO(random.Random(number).randbytes(member.size)))
    middle = path.stat().st_size // 2
    with path.open("r+b") as file:
        file.seek(middle)
        file.write(b"\xff" * 50)


def zip_of_version_99(path: Path) -> None:
    content = bytearray(write_zip(path).read_bytes())
    content[content.index(b"PK\1\2") + 6] = 99
    path.write_bytes(content)


def zip_name_not_utf8(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("é.png", b"image")
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xfe"))


def tar_of_sparse_headers(path: Path) -> None:
    info = tarfile.TarInfo("a.png")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "x"}
    path.write_bytes(info.tobuf(tarfile.PAX_FORMAT) + bytes(1024))


def content(content: bytes):
    return lambda path: path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("ck48.zip", content(b""), "empty (0 bytes)"),
        ("fer2013.csv", content(b""), "empty (0 bytes)"),
        ("ck48", Path.mkdir, "contains no files"),
        ("ck48", lambda path: (path / "anger").mkdir(parents=True), "contains no files"),
        ("ck48.zip", empty_zip, "an archive without files"),
        ("ck48.tar", lambda path: tarfile.open(path, "w").close(), "an archive without files"),
        ("ck48.zip", lambda path: cut(write_zip(path), 400), "truncated, damaged"),
        ("ck48.tar.gz", lambda path: cut(write_tar(path, "w:gz"), 40), "truncated, damaged"),
        ("ck48.tar.xz", corrupt_tar_xz, "truncated, damaged"),
        ("ck48.zip", zip_of_version_99, "zip file version 9.9"),
        ("ck48.zip", zip_name_not_utf8, "truncated, damaged"),
        ("ck48.tar", tar_of_sparse_headers, "truncated, damaged"),
        ("ck48.tar.bz2", lambda path: cut(write_tar(path, "w:bz2"), 40), "truncated, damaged"),
        ("ck48.zip", content(b"<html>Please sign in</html>"), "is it a web page"),
        ("ck48.rar", content(b"Rar!\x1a\x07\x01\x00" * 9), "a RAR archive, which is not read; unpack it"),
        ("ck48.7z", content(b"7z\xbc\xaf\x27\x1c" * 9), "a 7z archive, which is not read; unpack it"),
        ("table.csv", content(b"\x89PNG,\r\n\x1a\n\0"), "not an archive"),
        ("face.zip", content(b"\xff\xd8\xff\xe0"), "a single picture"),
        ("SFEW.pckl", content(b"\x80\x04."), "could run code"),
        ("table.csv", content(b"Please sign in"), "no table"),
        (
            "table.csv",
            lambda path: (
                write_zip(path.with_suffix(".x"))
                and path.write_bytes(b"emotion," * 99 + path.with_suffix(".x").read_bytes())
            ),
            "not an archive",
        ),
        ("pipe", os.mkfifo, "is neither a file nor a folder"),
    ],
)
def test_an_invalid_file_raises_input_error(user_folder, folder, name, make, words):
    make(user_folder / name)
    error = refused(user_folder / name, folder)
    assert words in error and str(user_folder / name) in error and "sources.local.ck48.path" in error


def test_a_file_name_that_is_not_utf8_raises_input_error(user_folder, folder):
    (user_folder / os.fsdecode(b"a\xff.png")).write_bytes(b"image")
    assert "is not UTF-8" in refused(user_folder, folder)


@pytest.mark.parametrize("name", ["ck48.zip", "ck48", "ck48/anger", "ck48/anger/a.png"])
def test_missing_permission_raises_input_error(name):
    with tempfile.TemporaryDirectory() as temporary:  # other users cannot read tmp_path
        user_folder, folder = Path(temporary), Path(temporary, "out")
        write_files(user_folder / "ck48", NAMES)
        write_zip(user_folder / "ck48.zip")
        folder.mkdir()
        user_folder.chmod(0o755), folder.chmod(0o777), (user_folder / name).chmod(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)  # root can read everything
        try:
            error = refused(user_folder / Path(name).parts[0], folder)
        finally:
            os.seteuid(user)
            (user_folder / name).chmod(0o700)
    assert f"{user_folder / name}: Permission denied" in error
