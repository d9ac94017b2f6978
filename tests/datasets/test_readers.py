"""Each data set's reader takes every layout it is distributed in, and refuses by name what it does not know."""

import io
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.base.errors import InputError
from stages.datasets.archive import Archive
from stages.datasets.labels import LABELS
from stages.datasets.picture import Face, Picture, Rejected
from stages.datasets.published import differences
from stages.datasets.readers import READERS
from stages.datasets.reading import read_faces

ALL = list(LABELS)


def picture(level: int = 0, size: tuple[int, int] = (48, 48), form: str = "PNG") -> bytes:
    noise = np.random.default_rng(level).integers(0, 256, size[::-1], dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, form)
    return out.getvalue()


def pack(folder: Path, members: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(folder / "archive.zip", "w") as out:
        for name, content in members.items():
            out.writestr(name, content)
    return folder


def read(dataset: str, folder: Path, labels: list[str] = ALL, size: int = 48) -> list[Face | Rejected]:
    return list(read_faces(dataset, folder, labels, size, 1))


@pytest.mark.parametrize("dataset", READERS)
def test_a_drawn_archive_is_read_whole(drawn, dataset: str):
    """Every member is a face or rejected, and only the planted cut picture is rejected."""
    folder = drawn(dataset, 120)
    items = read(dataset, folder)
    rejected = [item for item in items if isinstance(item, Rejected)]
    assert len(rejected) <= 1 and all(item.reason for item in rejected)
    if dataset != "fer2013":
        with zipfile.ZipFile(folder / f"{dataset}.zip") as archive:
            members = [name for name in archive.namelist() if not name.endswith(".csv")]
        assert [item.file for item in items] == members
    assert {item.label for item in items if isinstance(item, Face)} >= set(ALL) - {"contempt", "neutral"}


def test_ck48_knows_subject_and_sequence(tmp_path: Path):
    pack(tmp_path, {"ck/CK+48/Sadness/S010_004_00000017.png": picture(), "__MACOSX/._S010_004_00000017.png": b"x"})
    face, other = read("ck48", tmp_path)
    assert face[:6] == ("ck/CK+48/Sadness/S010_004_00000017.png", "sadness", "S010", "S010_004", "", "")
    assert isinstance(other, Rejected)


def test_jaffe_is_cropped_to_the_face(drawn):
    faces = [item for item in read("jaffe", drawn("jaffe", 70), size=64) if isinstance(item, Face)]
    ways = Counter(face.crop for face in faces)
    assert set(ways) <= {"detected", "fallback"} and ways["detected"] > 0.7 * len(faces)
    assert all(len(face.subject) == 2 for face in faces)


def test_sfew_val_is_the_test_part_and_a_film_is_a_sequence(tmp_path: Path):
    pack(tmp_path, {
        "SFEW/Train/Angry/Airheads-2_Back_000519240__00000005.png": picture(1, (143, 181)),
        "SFEW/Val/Happy/Hangover_001949614_00000089.png": picture(2, (143, 181)),
        "SFEW.pckl": b"\x80\x04.",
    })  # fmt: skip
    train, val, pickle = read("sfew", tmp_path)
    assert (train.label, train.sequence, train.official) == ("anger", "Airheads", "train")
    assert (val.label, val.sequence, val.official) == ("happy", "Hangover", "test")
    assert "run code" in pickle.reason


def test_fer2013_as_table_and_as_folders_is_the_same(drawn):
    def key(layout: str) -> Counter:
        items = read("fer2013", drawn("fer2013", 200, layout))
        return Counter((item.label, item.official, item.sha256) for item in items if isinstance(item, Face))

    assert key("csv") == key("folders") and key("csv").total() >= 195


def test_fer2013_accepts_the_table_with_spaces_and_says_what_is_wrong_in_a_row(tmp_path: Path):
    good, short = " ".join(["7"] * 2304), " ".join(["7"] * 2300)
    bad = [short, good[:-1] + "300", good[:-1] + "x"]
    rows = [f"6,PrivateTest,{good}", *(f"0,Training,{pixels}" for pixels in bad), "0"]
    (tmp_path / "icml_face_data.csv").write_text("\n".join(["emotion, Usage, pixels", *rows]))
    face, *rejected = read("fer2013", tmp_path)
    assert (face.file, face.label, face.official) == ("icml_face_data.csv:2", "neutral", "test")
    assert [item.file for item in rejected] == [f"icml_face_data.csv:{line}" for line in (3, 4, 5, 6)]
    assert [item.reason.split()[0] for item in rejected] == ["2300", "its", "its", "1"]


@pytest.mark.parametrize(
    ("row", "named"),
    [("7,{0},Training", "emotion '7'"), ("sad,{0},Training", "emotion 'sad'"), ("3,{0},Test", "'Test'")],
)
def test_fer2013_refuses_unknown_codes(tmp_path: Path, row: str, named: str):
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n" + row.format(" ".join(["7"] * 2304)))
    with pytest.raises(InputError, match=f"fer2013.csv:2: .*{named}"):
        read("fer2013", tmp_path)


def test_rafdb_as_kaggle_and_as_its_authors_pack_it_is_the_same(tmp_path: Path):
    faces = {("train", "00001", "5"): picture(1, form="JPEG"), ("test", "0001", "1"): picture(2, form="JPEG")}
    for way in ("kaggle", "authors"):
        (tmp_path / way).mkdir()
    pack(tmp_path / "kaggle", {
        f"DATASET/{part}/{code}/{part}_{n}_aligned.jpg": content for (part, n, code), content in faces.items()
    } | {"train_labels.csv": "image,label\ntrain_00001_aligned.jpg,5\n"})  # fmt: skip
    pack(tmp_path / "authors", {
        f"basic/Image/aligned/{part}_{n}_aligned.jpg": content for (part, n, _), content in faces.items()
    } | {"basic/EmoLabel/list_patition_label.txt": "train_00001.jpg 5\ntest_0001.jpg 1\n"})  # fmt: skip
    ways = [[(f.label, f.official, f.sha256) for f in read("rafdb", tmp_path / way)] for way in ("kaggle", "authors")]
    assert ways[0] == ways[1] and [way[:2] for way in ways[0]] == [("sadness", "train"), ("surprise", "test")]


@pytest.mark.parametrize(
    ("dataset", "name", "named"),
    [
        ("ck48", "CK+48/hapy/S010_004_00000017.png", "'hapy' .* did you mean 'happy'"),
        ("sfew", "Train/Bored/Airheads_000519240_00000005.png", "'Bored'"),
        ("fer2013", "train/envy/Training_1.jpg", "'envy'"),
        ("rafdb", "DATASET/train/8/train_00001_aligned.jpg", "'8'"),
    ],
)
def test_an_unknown_label_folder_is_refused_by_name(tmp_path: Path, dataset: str, name: str, named: str):
    pack(tmp_path, {name: picture()})
    with pytest.raises(InputError, match=f"{name.replace('+', '.')}.*{named}"):
        read(dataset, tmp_path)


@pytest.mark.parametrize("wrong", READERS)
@pytest.mark.parametrize("dataset", READERS)
def test_the_archive_of_another_data_set_is_refused(drawn, dataset: str, wrong: str):
    if dataset != wrong:
        with pytest.raises(InputError, match=f"no face of {dataset} in it"):
            read(dataset, drawn(wrong))


def test_an_empty_archive_is_refused(tmp_path: Path):
    pack(tmp_path, {})
    with pytest.raises(InputError, match="it is empty"):
        read("ck48", tmp_path)


def test_labels_that_are_not_asked_for_are_rejected_unread(tmp_path: Path):
    pack(tmp_path, {"contempt/S010_004_00000017.png": b"no picture", "anger/S010_004_00000018.png": picture()})
    contempt, _ = read("ck48", tmp_path, ["anger"])
    assert contempt.reason == "label contempt is not among data.labels"


def test_a_picture_that_cannot_be_decoded_is_rejected_with_a_reason(tmp_path: Path):
    huge = io.BytesIO()
    Image.new("L", (5000, 5000)).save(huge, "PNG")
    contents = [picture()[:900], b"", b"<html>", huge.getvalue(), picture()]
    pack(tmp_path, {f"anger/S010_001_0000000{n}.png": content for n, content in enumerate(contents)})
    *bad, good = read("ck48", tmp_path)
    assert [item.reason for item in bad[:3]] == ["not a picture, or cut short"] * 3
    assert "5000x5000" in bad[3].reason and isinstance(good, Face)


def test_resizing_is_antialiased(tmp_path: Path):
    stripes = np.tile(np.array([0, 255], np.uint8), (96, 48))
    out = io.BytesIO()
    Image.fromarray(stripes).save(out, "PNG")
    pack(tmp_path, {"anger/S010_001_00000001.png": out.getvalue()})
    face = read("ck48", tmp_path, size=48)[0]
    pixels = np.frombuffer(face.pixels, np.uint8).reshape(48, 48).astype(int)
    assert np.abs(pixels[:, 2:-2] - 127).max() <= 3  # every other column would be all black or all white


def test_differences_from_the_published_counts_are_named():
    as_published = Counter({("", label): count for label, count in READERS["jaffe"].PUBLISHED[""].items()})
    assert differences("jaffe", as_published, ALL) == {}
    as_published["", "fear"] -= 2
    as_published["train", "fear"] += 1
    assert differences("jaffe", as_published, ALL) == {"all/fear": -2, "train/fear": 1}
    assert differences("ck48", Counter(), ["contempt"]) == {"all/contempt": -54}


def test_readers_yield_pictures_lazily(drawn):
    """A reader must not hold an archive in memory: it yields before it has read the second member."""
    for dataset, reader in READERS.items():
        assert isinstance(next(iter(reader.read(Archive(drawn(dataset))))), Picture)
