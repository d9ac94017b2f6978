"""Damaged pictures and tables: a face, a rejected member or an InputError, and no other exception."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from PIL import Image

from helpers.archives import LIMITS, mutated, saved
from helpers.generated import MANY
from stages.archives.archive import Archive
from stages.base.errors import InputError
from stages.datasets.picture import Face, Picture, Rejected, prepare
from stages.datasets.readers import READERS

FEW = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

GREY = Image.fromarray(np.add.outer(np.arange(24), np.arange(24) * 9).astype(np.uint8))
DEEP = Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257)
FLOAT = Image.fromarray(np.asarray(GREY).astype(np.float32) / 255)
ALPHA = Image.merge("RGBA", [GREY, GREY, GREY, GREY])
EXIF = Image.Exif()
EXIF[0x0112] = 6
PICTURES = {
    "jpeg": saved(GREY, "JPEG", exif=EXIF), "png": saved(ALPHA, "PNG", exif=EXIF), "deep png": saved(DEEP, "PNG"),
    "palette png": saved(GREY.convert("P"), "PNG", transparency=3), "tiff": saved(FLOAT, "TIFF"),
    "lzw tiff": saved(ALPHA, "TIFF", compression="tiff_lzw"), "cmyk": saved(GREY.convert("CMYK"), "JPEG"),
    "gif": saved(GREY, "GIF"), "bmp": saved(GREY, "BMP"), "ppm": saved(ALPHA.convert("RGB"), "PPM"),
    "webp": saved(ALPHA, "WEBP"), "jpeg 2000": saved(GREY, "JPEG2000"), "lab": saved(ALPHA.convert("RGB"), "TIFF"),
    "avif": saved(ALPHA, "AVIF"),
}  # fmt: skip


def check_picture(content: bytes) -> None:
    for channels in (1, 3):
        item = prepare(Picture("a.png", "fear", content), 32, channels)
        assert isinstance(item, Face | Rejected)
        if isinstance(item, Face):
            assert len(item.pixels) == 32 * 32 * channels
        else:
            assert item.reason and "\n" not in item.reason and len(item.reason) < 200


pictures = some.sampled_from(sorted(PICTURES)).flatmap(lambda kind: mutated(PICTURES[kind]))


@settings(FEW, max_examples=300)
@given(content=pictures | some.binary(max_size=200))
def test_a_damaged_picture_is_a_face_or_rejected(content: bytes):
    check_picture(content)


@pytest.mark.slow
@settings(FEW, max_examples=MANY)
@given(content=pictures | some.binary(max_size=200))
def test_many_damaged_pictures(content: bytes):
    check_picture(content)


FER = "emotion,pixels,Usage\n" + "".join(
    f"{code},{'7 8 9 7' if code else ''},{usage}\n" for code in range(4) for usage in ("Training", "PublicTest")
)
LIST = "train_00001.jpg 5\ntrain_00002.jpg 1\ntest_0001.jpg 7\n"
VOTES = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
    "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0\nPrivateTest,,0,0,0,0,10,0,0,0,0,0\n"
)
TABLES = {
    ("fer2013", "fer2013.csv"): FER,
    ("fer2013", "icml.csv"): FER.replace(",", ";"),
    ("rafdb", "list_patition_label.txt"): LIST,
    ("ferplus", "fer2013new.csv"): VOTES,
    ("ck48", "S010_004_00000017_emotion.txt"): "   3.0000000e+00\n",
    ("ck48", "ckextended.csv"): FER,
}
cells = some.lists(some.text(max_size=8) | some.sampled_from([*"0123456", "Training", '"', "1 2 3 4"]), max_size=5)
lines = some.builds(str.join, some.sampled_from([",", ";", "\t", " "]), cells)


def encoded(text: str) -> some.SearchStrategy[bytes]:
    return some.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"]).flatmap(
        lambda encoding: mutated(text.encode(encoding)) | some.just(text.encode(encoding))
    )


tables = some.sampled_from(sorted(TABLES)).flatmap(
    lambda key: some.tuples(
        some.just(key),
        encoded(TABLES[key])
        | some.lists(lines, max_size=6).map(
            lambda more: (TABLES[key].split("\n")[0] + "\n" + "\n".join(more)).encode(errors="replace")
        ),
    )
)


def check_table(folder: Path, key: tuple[str, str], content: bytes) -> None:
    dataset, name = key
    path = folder / name
    path.write_bytes(content)
    try:
        for item in READERS[dataset].read(Archive(path, limits=LIMITS)):
            text = io.StringIO(f"{item.file}")
            assert len(text.read().splitlines()) <= 1
            if isinstance(item, Picture):
                assert isinstance(prepare(item, 16, 1), Face | Rejected)
    except InputError as error:
        assert "\n" not in str(error) and len(str(error)) < 600, error


@settings(FEW, max_examples=300)
@given(table=tables)
def test_a_damaged_table_is_read_or_refused(tmp_path: Path, table: tuple[tuple[str, str], bytes]):
    check_table(tmp_path, *table)


@pytest.mark.slow
@settings(FEW, max_examples=MANY)
@given(table=tables)
def test_many_damaged_tables(tmp_path: Path, table: tuple[tuple[str, str], bytes]):
    check_table(tmp_path, *table)
