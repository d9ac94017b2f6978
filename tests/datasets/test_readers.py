"""Readers: every layout in which a data set is distributed, and errors that name what is unknown."""

import io
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.archives import LIMITS, data, zipped
from helpers.archives import image as noise_image
from stages.archives.archive import Archive
from stages.base.errors import InputError
from stages.datasets.labels import LABELS
from stages.datasets.picture import Face, Picture, Rejected
from stages.datasets.published import count_differences
from stages.datasets.readers import READERS
from stages.datasets.reading import read_faces
from stages.sources.drawing.contents import IMAGE_LISTS

ALL = list(LABELS)
DRAWN = list(IMAGE_LISTS)  # the data sets that have a demo


def pack(folder: Path, members: dict[str, bytes | str]) -> Path:
    zipped(folder / "archive.zip", members)
    return folder


def read(dataset: str, folder: Path, labels: list[str] = ALL, size: int = 48) -> list[Face | Rejected]:
    return list(read_faces(dataset, folder, data(labels=labels, size=size)))


@pytest.mark.parametrize("dataset", DRAWN)
def test_every_member_of_a_demo_archive_is_read(drawn, dataset: str):
    """Every member becomes a face or is rejected; only the planted truncated image is rejected."""
    folder = drawn(dataset, 120)
    items = read(dataset, folder)
    rejected = [item for item in items if isinstance(item, Rejected)]
    assert len(rejected) <= 1 and all(item.reason for item in rejected)
    if dataset != "fer2013":
        with zipfile.ZipFile(folder / f"{dataset}.zip") as archive:
            members = [name for name in archive.namelist() if not name.endswith(".csv")]
        assert [item.file for item in items] == members
    assert {item.label for item in items if isinstance(item, Face)} >= set(ALL) - {"contempt", "neutral"}


def test_ck48_has_subjects_and_sequences(tmp_path: Path):
    pack(tmp_path, {"ck/CK+48/Sadness/S010_004_00000017.png": noise_image(), "__MACOSX/._S010_004_00000017.png": b"x"})
    (face,) = read("ck48", tmp_path)
    assert face[:6] == ("ck/CK+48/Sadness/S010_004_00000017.png", "sadness", "S010", "S010_004", "", "")


def test_jaffe_is_cropped_to_the_detected_face(drawn):
    faces = [item for item in read("jaffe", drawn("jaffe", 70), size=64) if isinstance(item, Face)]
    methods = Counter(face.crop for face in faces)
    assert set(methods) <= {"detected", "fallback"} and methods["detected"] > 0.7 * len(faces)
    assert all(len(face.subject) == 2 for face in faces)


def test_sfew_val_is_the_test_part_and_films_are_sequences(tmp_path: Path):
    pack(tmp_path, {
        "SFEW/Train/Angry/Airheads-2_Back_000519240__00000005.png": noise_image(1, (143, 181)),
        "SFEW/Val/Happy/Hangover_001949614_00000089.png": noise_image(2, (143, 181)),
        "SFEW.pckl": b"\x80\x04.",
    })  # fmt: skip
    train, val, pickle = read("sfew", tmp_path)
    assert (train.label, train.sequence, train.official) == ("anger", "Airheads", "train")
    assert (val.label, val.sequence, val.official) == ("happy", "Hangover", "test")
    assert "run code" in pickle.reason


def test_fer2013_is_the_same_as_a_table_and_as_folders(drawn):
    def count_faces(layout: str) -> Counter:
        items = read("fer2013", drawn("fer2013", 200, layout))
        return Counter((item.label, item.official, item.sha256) for item in items if isinstance(item, Face))

    assert count_faces("csv") == count_faces("folders") and count_faces("csv").total() >= 195


def test_fer2013_accepts_spaces_in_the_header_and_rejects_invalid_rows_with_a_reason(tmp_path: Path):
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
    [("7,{0},Training", "emotion '7'"), ("envy,{0},Training", "emotion 'envy'"), ("3,{0},Exam", "'Exam'")],
)
def test_fer2013_with_an_unknown_code_raises_input_error(tmp_path: Path, row: str, named: str):
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n" + row.format(" ".join(["7"] * 2304)))
    with pytest.raises(InputError, match=f"fer2013.csv:2: .*{named}"):
        read("fer2013", tmp_path)


def test_rafdb_is_the_same_from_kaggle_and_from_its_authors(tmp_path: Path):
    faces = {("train", "00001", "5"): noise_image(1, form="JPEG"), ("test", "0001", "1"): noise_image(2, form="JPEG")}
    for layout in ("kaggle", "authors"):
        (tmp_path / layout).mkdir()
    pack(tmp_path / "kaggle", {
        f"DATASET/{part}/{code}/{part}_{n}_aligned.jpg": content for (part, n, code), content in faces.items()
    } | {"train_labels.csv": "image,label\ntrain_00001_aligned.jpg,5\n"})  # fmt: skip
    pack(tmp_path / "authors", {
        f"basic/Image/aligned/{part}_{n}_aligned.jpg": content for (part, n, _), content in faces.items()
    } | {"basic/EmoLabel/list_patition_label.txt": "train_00001.jpg 5\ntest_0001.jpg 1\n"})  # fmt: skip
    kaggle, authors = (
        [(face.label, face.official, face.sha256) for face in read("rafdb", tmp_path / layout)]
        for layout in ("kaggle", "authors")
    )
    assert kaggle == authors and [row[:2] for row in kaggle] == [("sadness", "train"), ("surprise", "test")]


@pytest.mark.parametrize(
    ("dataset", "name", "named"),
    [
        ("ck48", "CK+48/hapy/S010_004_00000017.png", "unknown emotion 'hapy'; did you mean 'happy'"),
        ("sfew", "Train/Bored/Airheads_000519240_00000005.png", "'Bored'"),
        ("fer2013", "train/envy/Training_1.jpg", "'envy'"),
        ("rafdb", "DATASET/train/8/train_00001_aligned.jpg", "'8'"),
    ],
)
def test_an_unknown_label_folder_raises_input_error_with_its_name(tmp_path: Path, dataset: str, name: str, named: str):
    pack(tmp_path, {name: noise_image()})
    with pytest.raises(InputError, match=f"{name.replace('+', '.')}.*{named}"):
        read(dataset, tmp_path)


@pytest.mark.parametrize("wrong", DRAWN)
@pytest.mark.parametrize("dataset", DRAWN)
def test_the_archive_of_another_data_set_raises_input_error(drawn, dataset: str, wrong: str):
    if dataset != wrong:
        with pytest.raises(InputError, match=f"contains no face of {dataset} "):
            read(dataset, drawn(wrong))


def test_an_empty_archive_raises_input_error(tmp_path: Path):
    pack(tmp_path, {})
    with pytest.raises(InputError, match="it is empty"):
        read("ck48", tmp_path)


def test_images_with_other_labels_are_rejected_without_being_decoded(tmp_path: Path):
    pack(tmp_path, {"contempt/S010_004_00000017.png": b"not an image", "anger/S010_004_00000018.png": noise_image()})
    contempt, _ = read("ck48", tmp_path, ["anger", "fear"])
    assert contempt.reason == "label contempt is not among data.labels"


def test_an_image_that_cannot_be_decoded_is_rejected_with_a_reason(tmp_path: Path):
    huge = io.BytesIO()
    Image.new("L", (5000, 5000)).save(huge, "PNG")
    contents = [noise_image()[:900], b"", b"<html>", huge.getvalue(), noise_image()]
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
    assert np.abs(pixels[:, 2:-2] - 127).max() <= 3  # without antialiasing, columns would be black or white


def test_differences_from_the_published_counts_are_returned():
    counts = Counter({("", label): count for label, count in READERS["jaffe"].PUBLISHED[""].items()})
    assert count_differences("jaffe", counts, ALL) == {}
    counts["", "fear"] -= 2
    counts["train", "fear"] += 1
    assert count_differences("jaffe", counts, ALL) == {"all/fear": -2, "train/fear": 1}
    assert count_differences("ck48", Counter(), ["contempt"]) == {"all/contempt": -54}


def test_readers_yield_pictures_lazily(drawn):
    """A reader yields the first picture before it reads the second member, so that memory use stays bounded."""
    for dataset in DRAWN:
        archive = Archive(drawn(dataset) / f"{dataset}.zip", limits=LIMITS)
        assert isinstance(next(iter(READERS[dataset].read(archive))), Picture)
