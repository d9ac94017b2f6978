"""Damaged archives: an InputError or the right content, and no other exception."""

import gzip
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from helpers.archives import LIMITS, mutated, tar_bytes, zip_bytes
from helpers.generated import MANY
from stages.archives.archive import Archive
from stages.base.errors import InputError

FEW = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
FILES = {f"CK+48/fear/{number}.png": bytes(range(200)) + bytes([number]) * 300 for number in range(5)}
INNER = zip_bytes({"fer2013.csv": b"emotion,pixels\n" + b"0,1 2 3 4\n" * 30})
ARCHIVES = {
    "zip": zip_bytes(FILES),
    "stored zip": zip_bytes(FILES, zipfile.ZIP_STORED),
    "bzip2 zip": zip_bytes(FILES, zipfile.ZIP_BZIP2),
    "lzma zip": zip_bytes(FILES, zipfile.ZIP_LZMA),
    "tar": tar_bytes(FILES),
    "pax tar": tar_bytes({"é" * 120 + name: content for name, content in FILES.items()}, format=tarfile.PAX_FORMAT),
    "gnu tar": tar_bytes({"e" * 120 + name: content for name, content in FILES.items()}, format=tarfile.GNU_FORMAT),
    "tar.gz": tar_bytes(FILES, "w:gz"),
    "tar.bz2": tar_bytes(FILES, "w:bz2"),
    "tar.xz": tar_bytes(FILES, "w:xz"),
    "csv.gz": gzip.compress(b"emotion,pixels\n" + b"0,1 2 3 4\n" * 30),
    "zip in zip": zip_bytes({"inner.zip": INNER, **FILES}, zipfile.ZIP_STORED),
    "zip in tar.gz": tar_bytes({"inner.zip": INNER, **FILES}, "w:gz"),
}
CHECKED = ("zip", "stored zip", "bzip2 zip", "lzma zip", "tar.gz", "tar.bz2", "tar.xz")  # checksums cover the contents


def contents(path: Path) -> list[bytes | None]:
    return [member.read() for member in Archive(path, limits=LIMITS)]


def check(path: Path, kind: str, content: bytes) -> None:
    path.write_bytes(content)
    try:
        found = contents(path)
    except InputError as error:
        assert "\n" not in str(error) and len(str(error)) < 500
    else:
        if kind in CHECKED and set(found) & set(FILES.values()):  # what has no picture at all is refused later on
            assert sorted(item or b"" for item in found) == sorted(FILES.values())


cases = some.sampled_from(sorted(ARCHIVES)).flatmap(lambda kind: some.tuples(some.just(kind), mutated(ARCHIVES[kind])))


@settings(FEW, max_examples=300)
@given(case=cases)
def test_a_damaged_archive_is_refused_or_read_right(tmp_path: Path, case: tuple[str, bytes]):
    check(tmp_path / "x", *case)


@pytest.mark.slow
@settings(FEW, max_examples=MANY)
@given(case=cases)
def test_many_damaged_archives(tmp_path: Path, case: tuple[str, bytes]):
    check(tmp_path / "x", *case)


@settings(FEW, max_examples=100)
@given(name=some.text(min_size=1, max_size=40), make=some.sampled_from([zip_bytes, tar_bytes]))
def test_any_name_is_one_line_of_utf8(tmp_path: Path, name: str, make: Callable[..., bytes]):
    (tmp_path / "x").write_bytes(make({name.replace("\0", "_").encode(errors="replace").decode(): b"face"}))
    for member in Archive(tmp_path / "x", limits=LIMITS):
        assert len(member.name.splitlines()) <= 1 and member.name.encode() and not member.name.startswith("/")
        assert ".." not in member.name.split("/")
