"""Archives of every kind: their members, damage, limits and names; nothing is written to disk."""

import bz2
import gzip
import io
import lzma
import random
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import psutil
import pytest

from helpers.archives import LIMITS, tar_bytes, tarred, zip_bytes, zipped
from stages.archives import member, zip_files
from stages.archives.archive import Archive
from stages.base.errors import InputError

FILES = {"a/one.png": b"1" * 3000, "b/two.png": bytes(range(256)) * 20}
MANY = {f"{number:03}.png": random.Random(number).randbytes(700) for number in range(60)}
COMPRESSIONS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def contents(path: Path, **limits: int) -> dict[str, bytes | None]:
    return {member.name: member.read() for member in Archive(path, limits=LIMITS.model_copy(update=limits))}


def refused(path: Path, **limits: int) -> str:
    with pytest.raises(InputError) as caught:
        contents(path, **limits)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    return str(caught.value)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_files_of_any_compression_and_zip_files_give_the_same_members(tmp_path: Path, mode: str):
    tarred(tmp_path / "any name", FILES, mode)
    zipped(tmp_path / "x.tar", FILES)  # the content decides, not the ending
    assert contents(tmp_path / "any name") == contents(tmp_path / "x.tar") == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["any name", "x.tar"]


def test_a_zip_file_is_listed_once_and_stays_open_as_long_as_its_archive(tmp_path: Path):
    def is_open() -> bool:
        return any(Path(file.path).parent == tmp_path for file in psutil.Process().open_files())

    archive = Archive(zipped(tmp_path / "x.zip", FILES), limits=LIMITS)
    assert len(list(archive)) == 2 and is_open()
    (tmp_path / "x.zip").rename(tmp_path / "y.zip")
    assert {member.name: member.read() for member in archive} == FILES
    del archive
    assert not is_open()


def test_a_file_is_listed_at_every_iteration_where_members_do_not_last(tmp_path: Path):
    packed = {"a.zip": zip_bytes(FILES), "c.png": b"c"}
    for path in (zipped(tmp_path / "x.zip", packed), tarred(tmp_path / "x.tar", FILES)):
        archive = Archive(path, limits=LIMITS)
        first, second = ({member.name: member.read() for member in archive} for _ in range(2))
        assert first == second and len(first) in (2, 3)


@pytest.mark.parametrize("ending", COMPRESSIONS)
def test_a_table_is_read_compressed_or_plain(tmp_path: Path, ending: str):
    table = b"emotion,pixels\n0,1\n"
    path = written(tmp_path / f"fer2013.csv.{ending}", COMPRESSIONS[ending](table))
    assert contents(path) == {"fer2013.csv": table}
    path = written(tmp_path / f"fer2013.csv.{ending}", COMPRESSIONS[ending](table)[:-5])
    assert "truncated" in refused(path)
    assert contents(written(tmp_path / "table.txt", table)) == {"table.txt": table}


def test_archives_in_archives_are_read_three_deep_and_no_deeper(tmp_path: Path):
    inner = zip_bytes({"faces/a.png": b"a"})
    outer = zip_bytes({"sub/one.zip": zip_bytes({"two.tar.gz": tar_bytes({"three.zip": inner}, "w:gz")})})
    assert contents(written(tmp_path / "x.zip", outer)) == {"sub/one.zip/two.tar.gz/three.zip/faces/a.png": b"a"}
    assert "more than 3 deep" in refused(written(tmp_path / "y.zip", zip_bytes({"x.zip": outer})))
    table = zip_bytes({"fer2013.csv.gz": gzip.compress(b"emotion,pixels\n")})
    assert contents(written(tmp_path / "z.zip", table)) == {"fer2013.csv.gz/fer2013.csv": b"emotion,pixels\n"}


@pytest.mark.parametrize("name", ["x.7z", "x.rar", "x.tar.zst", "x.zip"])
@pytest.mark.parametrize("nested", [False, True])
def test_an_archive_of_another_kind_is_refused_by_its_name(tmp_path: Path, name: str, nested: bool):
    kind, content = {
        "x.7z": ("7z", b"7z\xbc\xaf\x27\x1c"), "x.rar": ("RAR", b"Rar!\x1a\x07\x01"),
        "x.tar.zst": ("Zstandard", b"\x28\xb5\x2f\xfd"), "x.zip": ("Excel", zip_bytes({"xl/workbook.xml": b"<"})),
    }[name]  # fmt: skip
    content += b"" if name == "x.zip" else bytes(99)
    message = refused(written(tmp_path / name, zip_bytes({name: content}) if nested else content))
    assert kind in message and name in message


def test_files_of_operating_systems_are_left_out(tmp_path: Path):
    litter = ["__MACOSX/a/._one.png", "a/._one.png", "a/.DS_Store", "a/Thumbs.db", "desktop.ini", "$RECYCLE.BIN/x.png"]
    everything = {**dict.fromkeys(litter, b"\0\5\x16\7"), **FILES}
    assert contents(zipped(tmp_path / "x.zip", everything)) == contents(tarred(tmp_path / "x.tar", everything)) == FILES


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("./a/b.png", "a/b.png"),
        ("/a//b.png", "a/b.png"),
        ("../a/b.png", "a/b.png"),
        ("a\\b.png", "a/b.png"),
        ("a\nb.png", "a\\x0ab.png"),
        ("a\u202eb.png", "a\\u202eb.png"),
        ("e\u0301.png", "é.png"),
        (b"Am\xe9lie.png".decode("utf-8", "surrogateescape"), "Amélie.png"),
    ],
)
def test_names_are_normalised(tmp_path: Path, name: str, cleaned: str):
    with tarfile.open(tmp_path / "x.tar", "w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as archive:
        archive.addfile(tarfile.TarInfo(name))
    assert list(contents(tmp_path / "x.tar")) == [cleaned]


def test_utf8_names_of_a_zip_file_that_does_not_say_so(tmp_path: Path):
    content = zip_bytes({"Am__lie.png": b"1"}).replace(b"Am__lie", "Amélie".encode())
    assert list(contents(written(tmp_path / "x.zip", content))) == ["Amélie.png"]


def test_a_name_that_is_too_long_is_refused(tmp_path: Path):
    assert "a file name of 2004 characters" in refused(zipped(tmp_path / "x.zip", {"a" * 2000 + ".png": b"1"}))


LONG = "a" * 350 + ".csv"


def linked(name: str, target: str) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info.tobuf(tarfile.GNU_FORMAT)


MESSAGES = {
    "cut": tar_bytes({LONG: b"1"})[:-9000],
    "a link": linked(LONG, LONG),
    "a method": zip_bytes({LONG: b"1" * 99}).replace(b"PK\1\2\x14\3\x14\0\0\0\x08", b"PK\1\2\x14\3\x14\0\0\0\x09"),
    "a password": zip_bytes({LONG: b"1" * 99}).replace(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1"),
    "a kind": zip_bytes({LONG: b"7z\xbc\xaf\x27\x1c"}),
    "a workbook": zip_bytes({LONG: zip_bytes({"xl/workbook.xml": b"<"})}),
    "a quote": zip_bytes({LONG: b'a,b\n"'}),
    "no text": zip_bytes({LONG: b"\1\2" * 99}),
    "escapes": zip_bytes({"\1" * 100: b'a,b\n"'}),
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_long_name_is_shortened_in_messages(tmp_path: Path, kind: str):
    with pytest.raises(InputError) as error:
        rows(written(tmp_path / "x", MESSAGES[kind]))
    assert len(str(error.value)) < 350


def test_names_are_bounded_as_they_are_shown(tmp_path: Path):
    assert "a file name of 800 characters" in refused(zipped(tmp_path / "x.zip", {"\1" * 200: b"1"}))
    inner = zip_bytes({"a" * 200: b"1"})
    assert "a file name of 401 characters" in refused(zipped(tmp_path / "x.zip", {"b" * 200: inner}))


# --- links, devices, passwords, methods ---


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_link_or_device_in_a_tar_file_is_refused_by_its_name(tmp_path: Path, kind: bytes):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        info = tarfile.TarInfo("c/link.png")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    assert "c/link.png is a " in refused(tmp_path / "x.tar")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_hard_link_in_a_tar_file_is_a_file_of_its_own(tmp_path: Path, mode: str):
    with tarfile.open(tmp_path / "x.tar", mode) as archive:
        info = tarfile.TarInfo("one.png")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"face"))
        link = tarfile.TarInfo("two.png")
        link.type, link.linkname = tarfile.LNKTYPE, "one.png"
        archive.addfile(link)
    assert contents(tmp_path / "x.tar") == {"one.png": b"face", "two.png": b"face"}


def test_a_symbolic_link_in_a_zip_file_is_refused_by_its_name(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        info = zipfile.ZipInfo("train")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/other/train")
    assert "train is a symbolic link" in refused(tmp_path / "x.zip")


def patched_zip(field: int, value: int) -> bytes:
    """A zip file with a 16-bit field of each of its headers changed; the field is numbered as in a local header."""
    content = bytearray(zip_bytes(FILES))
    for signature, shift in ((b"PK\3\4", 0), (b"PK\1\2", 2)):
        at = content.find(signature)
        while at >= 0:
            struct.pack_into("<H", content, at + field + shift, value)
            at = content.find(signature, at + 4)
    return bytes(content)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [(6, 1, "needs a password"), (8, 9, "the method Deflate64"), (8, 99, "needs a password"), (4, 99, "version")],
)
def test_a_zip_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path, field: int, value: int, words: str):
    message = refused(written(tmp_path / "x.zip", patched_zip(field, value)))
    assert words in message and "x.zip" in message


# --- damage ---


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_truncated_archive_is_refused(tmp_path: Path, kind: str, share: float):
    compression = kind.partition(".")[2]
    content = zip_bytes(FILES) if kind == "zip" else tar_bytes(FILES, f"w:{compression}" if compression else "w")
    content = content[: 512 * 2 + 3072 + 5120] if kind == "tar" else content  # only padding follows the last member
    path = written(tmp_path / f"x.{kind}", content[: int(len(content) * share)])
    assert "download or copy the file again" in refused(path)


def header_damaged(content: bytearray) -> None:
    content[content.index(b"032.png") + 148 : content.index(b"032.png") + 156] = b"9" * 8


def header_zeroed(content: bytearray) -> None:
    at = content.index(b"032.png")
    content[at : at + 512] = bytes(512)


def blocks_zeroed(content: bytearray) -> None:
    at = content.index(b"032.png")
    content[at : at + 3 * 1536] = bytes(3 * 1536)


def garbage_inserted(content: bytearray) -> None:
    at = content.index(b"032.png")
    content[at:at] = random.Random(0).randbytes(512)


def cut_after_a_member(content: bytearray) -> None:
    del content[content.index(b"032.png") :]


@pytest.mark.parametrize("damage", [header_damaged, header_zeroed, blocks_zeroed, garbage_inserted, cut_after_a_member])
@pytest.mark.parametrize("compressed", [False, True])
def test_damage_in_a_tar_file_is_not_taken_for_its_end(tmp_path: Path, damage, compressed: bool):
    content = bytearray(tar_bytes(MANY))
    damage(content)
    path = written(tmp_path / "x.tar", gzip.compress(content) if compressed else content)
    message = refused(path)
    assert "truncated, damaged" in message and "32 files were read before, the last one is 031.png" in message


@pytest.mark.parametrize("damage", ["zeroed bytes", "wrong crc", "no trailer", "wrong length"])
def test_a_damaged_tar_gz_file_is_refused(tmp_path: Path, damage: str):
    content = bytearray(tar_bytes(MANY, "w:gz"))
    match damage:
        case "zeroed bytes":
            content[len(content) // 2 : len(content) // 2 + 60] = bytes(60)
        case "wrong crc":
            content[-8] ^= 1
        case "wrong length":
            content[-4] ^= 1
        case "no trailer":
            del content[-8:]
    assert "damaged" in refused(written(tmp_path / "x.tar.gz", content))


def test_a_changed_byte_in_a_zip_file_is_refused(tmp_path: Path):
    path = zipped(tmp_path / "x.zip", FILES, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"1111", b"1121", 1))
    assert "a/one.png" in refused(path)


def test_a_damaged_member_compressed_by_lzma_is_refused(tmp_path: Path):
    content = bytearray(zipped(tmp_path / "x.zip", FILES, zipfile.ZIP_LZMA).read_bytes())
    content[51] = 0xFF
    assert "Corrupt input data" in refused(written(tmp_path / "x.zip", content))


def test_a_corrupt_tar_xz_file_is_refused(tmp_path: Path):
    content = bytearray(tar_bytes(MANY, "w:xz"))
    content[len(content) // 2 : len(content) // 2 + 50] = b"\xff" * 50
    message = refused(written(tmp_path / "x.tar.xz", content))
    assert "Corrupt input data" in message and "download or copy the file again" in message


def test_a_zip_file_whose_directory_lacks_members_is_refused(tmp_path: Path):
    content = bytearray(zip_bytes(FILES))
    struct.pack_into("<H", content, content.index(b"PK\5\6") + 10, 5)
    assert "2 files in place of 5" in refused(written(tmp_path / "x.zip", content))


def test_a_zip_file_whose_directory_lists_no_bytes_of_a_member_is_refused(tmp_path: Path):
    content = bytearray(zip_bytes({"a.png": b"1" * 99}))
    struct.pack_into("<LL", content, content.index(b"PK\1\2") + 16, 0, 0)  # its CRC and compressed size
    assert "lists no bytes of a.png" in refused(written(tmp_path / "x.zip", content))


def test_members_that_share_bytes_are_refused(tmp_path: Path):
    content = bytearray(zip_bytes({"a.png": b"1" * 99, "b.png": b"2" * 99}))
    second = content.rindex(b"PK\1\2")
    struct.pack_into("<L", content, second + 42, 0)  # the second member begins where the first one does
    assert "share bytes" in refused(written(tmp_path / "x.zip", content))


def test_a_zip_name_that_is_no_utf8_is_refused(tmp_path: Path):
    content = zip_bytes({"Amélie.png": b"1"}).replace("é".encode(), b"\xff\xfe")
    assert "damaged" in refused(written(tmp_path / "x.zip", content))


@pytest.mark.parametrize("content", [b"", b"<html>Sign in</html>", b"emotion," + zip_bytes(FILES), bytes(300)])
def test_a_file_that_is_no_archive_is_refused_or_a_text(tmp_path: Path, content: bytes):
    path = written(tmp_path / "x.zip", content)
    if content.startswith(b"<html>"):
        assert contents(path) == {"x.zip": content}
    else:
        assert "x.zip" in refused(path)


def test_a_zip_file_in_the_tail_of_another_file_does_not_decide_what_that_is(tmp_path: Path):
    inner = zip_bytes({"inside.png": b"1"})
    faces = {"a.png": b"face", "z.png": inner}
    assert contents(written(tmp_path / "x.tar", tar_bytes(faces))) == faces
    table = b"emotion,pixels\n" * 9000 + inner
    assert contents(written(tmp_path / "x.csv", table)) == {"x.csv": table}


def test_a_gnu_sparse_file_with_impossible_headers_is_refused(tmp_path: Path):
    info = tarfile.TarInfo("sparse.png")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "x"}
    content = info.tobuf(tarfile.PAX_FORMAT) + bytes(1024)
    assert "damaged" in refused(written(tmp_path / "x.tar", content))


# --- limits ---


def test_a_member_over_the_size_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(member, "MAX_BYTES", 4000)
    assert contents(zipped(tmp_path / "x.zip", FILES)) == {"a/one.png": FILES["a/one.png"], "b/two.png": None}


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz", "zip in zip"])
def test_a_small_file_that_unpacks_to_much_is_refused(tmp_path: Path, kind: str):
    faces = {f"{number}.png": bytes(8 * 2**20) for number in range(12)}
    content = {
        "zip": lambda: zip_bytes(faces),
        "tar.gz": lambda: tar_bytes(faces, "w:gz"),
        "tar.xz": lambda: tar_bytes(faces, "w:xz"),
        "zip in zip": lambda: zip_bytes({"x.zip": zip_bytes(faces)}),
    }[kind]()
    path = written(tmp_path / f"x.{kind.split()[0]}", content)
    message = refused(path, expansion=10)
    assert "unpack to more than" in message and "data.limits.expansion" in message


def test_too_many_members_are_refused(tmp_path: Path):
    assert "data.limits.members" in refused(zipped(tmp_path / "x.zip", MANY), members=59)
    assert len(contents(tmp_path / "x.zip", members=60)) == 60


@pytest.mark.parametrize("limit", [10**6, 1])
def test_members_of_a_zip_file_are_counted_before_its_directory_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", limit)  # beyond it, zipfile writes the records of ZIP64
    path = zipped(tmp_path / "x.zip", MANY)
    assert (b"PK\6\6" in path.read_bytes()) == (limit == 1)
    assert contents(path, members=60) == MANY
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert "more than 59 files" in refused(path, members=59)
    monkeypatch.setattr(zip_files, "MAX_DIRECTORY", 60 * (46 + 7) - 1)
    assert "a directory of 3,180 bytes" in refused(path)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_header_of_a_tar_file_is_not_read_whole_if_it_is_large(tmp_path: Path, kind: bytes):
    info = tarfile.TarInfo("long")
    info.type, info.size = kind, 2**31
    path = written(tmp_path / "x.tar.gz", gzip.compress(info.tobuf() + bytes(2**20)))
    assert "a header of 2,147,483,648 bytes" in refused(path)


# --- text and tables ---


def rows(path: Path, limit: int = 100) -> list[tuple[int, list[str]]]:
    return [row for member in Archive(path, limits=LIMITS) for row in member.rows(limit)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_tables_of_any_encoding_line_end_and_separator(tmp_path: Path, encoding: str, end: str, separator: str):
    lines = ["emotion,Usage,film", "0,Training,Amélie", "", '1,"PublicTest",b']
    text = end.join(lines).replace(",", separator) + end
    found = rows(written(tmp_path / "x.csv", text.encode(encoding)))
    assert found == [
        (1, ["emotion", "Usage", "film"]), (2, ["0", "Training", "Amélie"]), (4, ["1", "PublicTest", "b"]),
    ]  # fmt: skip


def test_lists_separated_by_spaces_and_tables_of_excel(tmp_path: Path):
    assert rows(written(tmp_path / "x.txt", b"train_1.jpg 5\n\ntest_2.jpg   6\n")) == [
        (1, ["train_1.jpg", "5"]), (3, ["test_2.jpg", "6"]),
    ]  # fmt: skip
    assert rows(written(tmp_path / "x.csv", b"sep=;\na;b\n")) == [(2, ["a", "b"])]
    assert rows(written(tmp_path / "x.csv", b'a,"(0, 1)",b\n')) == [(1, ["a", "(0, 1)", "b"])]


def test_a_quote_that_is_not_closed_is_told_by_its_line_and_swallows_nothing(tmp_path: Path):
    path = written(tmp_path / "x.csv", b'a,b\n1,2\n3,"4\n5,6\n7,8"\n')
    with pytest.raises(InputError, match="x.csv:3: a quotation mark is not closed"):
        rows(path)


def test_lines_are_bounded(tmp_path: Path):
    with pytest.raises(InputError, match="x.csv:2: a line of more than"):
        rows(written(tmp_path / "x.csv", b"a,b\n" + b"1" * (5 * 2**20)))
    with pytest.raises(InputError, match="more than 3 lines.*data.limits.members"):
        rows(written(tmp_path / "x.csv", b"a,b\n" * 4), limit=3)
    with pytest.raises(InputError, match="more than 3 lines"):
        rows(written(tmp_path / "x.csv", b"a,b\n\n\n\n"), limit=3)
