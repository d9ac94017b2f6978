"""Copies of the data sets as people have them: layouts, names and tables, read right or refused with the reason."""

import gzip
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from helpers.archives import LIMITS, data, image, tarred, zipped
from stages.archives.archive import Archive
from stages.base.errors import InputError
from stages.datasets.labels import harmonise
from stages.datasets.parts import find_part
from stages.datasets.picture import Picture, Rejected
from stages.datasets.readers import READERS
from stages.datasets.reading import read_faces

PNG = image(1)
FER = ("anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral")
RAF = ("surprise", "fear", "disgust", "happy", "sadness", "anger", "neutral")


def items(dataset: str, path: Path) -> list[Picture | Rejected]:
    return list(READERS[dataset].read(Archive(path, limits=LIMITS)))


def counts(dataset: str, path: Path) -> Counter[tuple[str, str]]:
    return Counter((item.official, item.label) for item in items(dataset, path) if isinstance(item, Picture))


def lost(dataset: str, path: Path) -> list[str]:
    return [item.reason for item in items(dataset, path) if isinstance(item, Rejected) and item.lost]


def packed(path: Path, names: Iterable[str]) -> Path:
    return zipped(path, dict.fromkeys(names, PNG))


# --- labels and parts ---


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Angry", "anger"), ("0 angry", "anger"), ("03_fear", "fear"), (" SAD ", "sadness"), ("Happiness", "happy"),
        ("suprise", "surprise"), ("surprise-6", "surprise"), ("neutral faces", "neutral"), ("(7) Neutral", "neutral"),
        ("0", "anger"), ("4.0", "sadness"), (" 6 ", "neutral"), ("   3.0000000e+00", "happy"),
    ],
)  # fmt: skip
def test_labels_are_harmonised_in_every_form(text: str, label: str):
    assert harmonise(text, "here", FER) == label


@pytest.mark.parametrize("text", ["7", "-1", "1.5", "nan", "inf", "1e999", "", "hapy", "sad or happy", "9" * 5000])
def test_an_unknown_label_is_refused_with_its_place(text: str):
    with pytest.raises(InputError, match="here: unknown emotion") as caught:
        harmonise(text, "here", FER)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("train", "train Training TRAIN Train_Aligned_Faces train_afew FER2013Train trainset train.csv 01_train"),
        (
            "val",
            "val Valid validation Val_Aligned_Faces_new val_afew PublicTest publictest TestPublic FER2013Valid",
        ),
        ("test", "test Testing TEST PrivateTest privatetest private_test FER2013Test test_set test_aligned"),
        (None, "images trainval train_test_split value contest latest Evaluation 1 angry"),
    ],
)
def test_parts_are_found_in_every_usual_word(part: str | None, names: str):
    assert {name: find_part(name) for name in names.split()} == dict.fromkeys(names.split(), part)


# --- CK+ ---


def ck(names: Callable[[int], str], frames: Iterable[int] = range(1, 8)) -> list[str]:
    return [names(frame) for frame in frames]


@pytest.mark.parametrize("code", ["   3.0000000e+00\n", "3", "3.0\r\n"])
@pytest.mark.parametrize("ending", ["png", "PNG", "tiff", "jpg"])
def test_ck_plus_of_its_authors_has_the_last_three_frames_of_labelled_sequences(tmp_path: Path, code: str, ending: str):
    frames = ck(lambda frame: f"cohn-kanade-images/S010/004/S010_004_{frame:08}.{ending}", (3, 1, 12, 11, 2))
    frames += ck(lambda frame: f"cohn-kanade-images/S010/005/S010_005_{frame:08}.{ending}")
    label = {"Emotion/S010/004/S010_004_00000012_emotion.txt": code.encode(), "FACS/S010/004/x_facs.txt": b"1 2"}
    path = zipped(tmp_path / "x.zip", {**dict.fromkeys(frames, PNG), **label})
    faces = [item for item in items("ck48", path) if isinstance(item, Picture)]
    assert sorted(Path(face.file).stem[-3:] for face in faces) == ["003", "011", "012"]
    assert {(face.label, face.subject, face.sequence, face.crop) for face in faces} == {
        ("disgust", "S010", "S010_004", True)
    }
    assert lost("ck48", path) == []


def test_ck_labels_without_pictures_are_lost_and_pictures_without_labels_are_no_faces(tmp_path: Path):
    only = zipped(tmp_path / "labels.zip", {"Emotion/S010/004/S010_004_00000012_emotion.txt": b"3.0"})
    assert lost("ck48", only) == ["a label of a sequence without pictures"]
    frames = zipped(tmp_path / "x.zip", dict.fromkeys(ck(lambda frame: f"cohn/S010/004/S010_004_{frame:08}.png"), PNG))
    with pytest.raises(InputError, match="no label is here; put Emotion_labels.zip"):
        items("ck48", frames)


@pytest.mark.parametrize("code", [b"8.0", b"2.5", b"", b"happy sad"])
def test_an_unknown_code_of_ck_is_refused_with_its_file(tmp_path: Path, code: bytes):
    path = zipped(tmp_path / "x.zip", {"S010_004_00000012.png": PNG, "E/S010_004_00000012_emotion.txt": code})
    with pytest.raises(InputError, match="E/S010_004_00000012_emotion.txt: unknown emotion"):
        items("ck48", path)


def test_a_table_of_ck_tells_no_subject(tmp_path: Path):
    (tmp_path / "ckextended.csv").write_text("emotion,pixels,Usage\n0,1 2 3 4,Training\n")
    with pytest.raises(InputError, match="no subject"):
        list(read_faces("ck48", tmp_path, data()))


# --- JAFFE ---


@pytest.mark.parametrize(
    "name", ["KA.AN1.39.tiff", "KA.AN1.39.jpg", "KA.AN1.39.tiff.png", "ka.an1.39.TIF", "KA-AN1-39.bmp"]
)
@pytest.mark.parametrize("folder", ["", "jaffe/", "jaffe/anger/", "0 Angry/", "train/jaffe/"])
def test_jaffe_is_read_by_its_names_in_any_folder(tmp_path: Path, name: str, folder: str):
    (face,) = items("jaffe", packed(tmp_path / "x.zip", [folder + name]))
    assert isinstance(face, Picture) and (face.label, face.subject, face.crop) == ("anger", "KA", True)


def test_jaffe_without_its_names_or_in_another_emotions_folder_is_refused(tmp_path: Path):
    assert "no person is known" in lost("jaffe", packed(tmp_path / "x.zip", ["anger/1.png"]))[0]
    with pytest.raises(InputError, match="named as anger, but in the folder of fear"):
        items("jaffe", packed(tmp_path / "x.zip", ["fear/KA.AN1.39.tiff"]))


# --- SFEW ---


@pytest.mark.parametrize(
    ("train", "val"),
    [
        ("Train", "Val"), ("SFEW/train", "SFEW/validation"), ("Train_Aligned_Faces", "Val_Aligned_Faces_new"),
        ("train_afew", "val_afew"), ("TRAIN", "VALID"), ("SFEW_2/Training set", "SFEW_2/Validation set"),
        ("Train.zip", "Val.zip/faces"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", ["png", "JPG"])
def test_sfew_is_read_whatever_its_parts_are_called(tmp_path: Path, train: str, val: str, ending: str):
    names = [f"{train}/Angry/Airheads_000519240_00000005.{ending}", f"{val}/Sad/21_000519240_00000005.{ending}"]
    train_face, val_face = items("sfew", packed(tmp_path / "x.zip", names))
    assert (train_face.label, train_face.official, train_face.sequence) == ("anger", "train", "Airheads")
    assert (val_face.label, val_face.official, val_face.sequence) == ("sadness", "test", "21")


def test_sfew_of_its_authors_is_two_archives_in_a_folder(tmp_path: Path):
    members = {}
    for part in ("Train_Aligned_Faces", "Val_Aligned_Faces_new"):
        inner = packed(tmp_path / "part.zip", [f"{part}/Happy/Airheads_000519240_00000005.png"])
        members[f"{part}.zip"] = inner.read_bytes()
    assert counts("sfew", zipped(tmp_path / "x.zip", members)) == {("train", "happy"): 1, ("test", "happy"): 1}


def test_sfew_test_pictures_and_lost_names(tmp_path: Path):
    names = ["Test/x_000519240_00000005.png", "Train/Angry/1.png", "Train/Airheads_000519240_00000005.png"]
    path = packed(tmp_path / "x.zip", names)
    assert counts("sfew", path) == {} and len(lost("sfew", path)) == 2


# --- FER2013 ---


def fer_rows(row: str = "{code},{pixels},{usage}", pixels: str = "7 8 9 7") -> list[str]:
    usages = ("Training", "PublicTest", "PrivateTest")
    return [row.format(code=code, pixels=f"{pixels}{code}", usage=usage) for code in range(7) for usage in usages]


FER_COUNTS = {(part, label): 1 for part in ("train", "val", "test") for label in FER}
FER_TABLES = {
    "plain": ("emotion,pixels,Usage", "{code},{pixels},{usage}"),
    "icml": ("emotion, Usage, pixels", "{code},{usage},{pixels}"),
    "capitals": ("EMOTION,Pixels,usage", "{code},{pixels},{usage}"),
    "index": (",emotion,pixels,Usage", "5,{code},{pixels},{usage}"),
    "names": ("label,pixels,split", "{label},{pixels},{part}"),
    "floats": ("emotion;pixels;Usage", "{code}.0;{pixels};{usage}"),
    "tabs": ("emotion\tpixels\tUsage", "{code}\t{pixels}\t{usage}"),
    "quoted": ('"emotion","pixels","Usage"', '"{code}","{pixels}","{usage}"'),
}


@pytest.mark.parametrize("form", FER_TABLES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("packing", ["plain", "gz", "zip", "tar.gz in zip"])
def test_fer2013_is_read_from_tables_of_every_form(tmp_path: Path, form: str, encoding: str, packing: str):
    header, row = FER_TABLES[form]
    row = row.replace("{part}", "{usage}")
    lines = [line.replace("{label}", "") for line in fer_rows(row.replace("{label}", "L{code}"))]
    for code, label in enumerate(FER):
        lines = [line.replace(f"L{code}", label.title()) for line in lines]
    table = "\r\n".join([header, *lines, ""]).encode(encoding)
    match packing:
        case "plain":
            (tmp_path / "x.txt").write_bytes(table)
        case "gz":
            (tmp_path / "x.txt").write_bytes(gzip.compress(table))
        case "zip":
            zipped(tmp_path / "x.txt", {"fer2013/FER2013.CSV": table, "fer2013/README": b"about"})
        case _:
            inner = tarred(tmp_path / "t", {"fer2013/fer2013.csv": table}, "w:gz").read_bytes()
            zipped(tmp_path / "x.txt", {"fer2013.tar.gz": inner})
    assert counts("fer2013", tmp_path / "x.txt") == FER_COUNTS
    assert lost("fer2013", tmp_path / "x.txt") == []


def test_rows_of_fer2013_that_stand_in_several_tables_are_read_once(tmp_path: Path):
    full = "\n".join(["emotion,pixels,Usage", *fer_rows()]).encode()
    train = [row.rpartition(",")[0] for row in fer_rows() if row.endswith("Training")]
    members = {
        "fer2013.csv": full,
        "icml_face_data.csv": "\n".join(["emotion, Usage, pixels", *fer_rows("{code},{usage},{pixels}")]).encode(),
        "train.csv": "\n".join(["emotion,pixels", *train]).encode(),
        "test.csv": b"pixels\n1 2 3 4\n",
        "example_submission.csv": b"id,emotion\n1,0\n",
    }
    path = zipped(tmp_path / "x.zip", members)
    assert counts("fer2013", path) == FER_COUNTS and lost("fer2013", path) == []
    reasons = {item.file: item.reason for item in items("fer2013", path) if isinstance(item, Rejected)}
    assert reasons["icml_face_data.csv"] == "21 rows that another table has as well"


def test_tables_named_after_their_parts_are_read_together(tmp_path: Path):
    table = b"emotion,pixels\n3,1 2 3 4\n3,1 2 3 4\n"
    path = zipped(tmp_path / "x.zip", {"train.csv": table, "PublicTest.csv": table, "fer_test.csv": table})
    assert counts("fer2013", path) == {("train", "happy"): 2, ("val", "happy"): 2, ("test", "happy"): 2}


@pytest.mark.parametrize(
    ("header", "words"),
    [("emotion,pixels,emotion", "'emotion' stands there twice"), ("emotion,pixels,Usage, usage", "'usage' stands")],
)
def test_a_column_that_stands_twice_is_refused(tmp_path: Path, header: str, words: str):
    (tmp_path / "x.csv").write_text(f"{header}\n0,1 2 3 4,1,1\n")
    with pytest.raises(InputError, match=words):
        items("fer2013", tmp_path / "x.csv")


def test_a_short_row_is_told_by_its_line_and_blank_lines_are_none(tmp_path: Path):
    (tmp_path / "x.csv").write_text("emotion,pixels,Usage\n\n\n0,1 2 3 4\n0,1 2 3 4,Training\n")
    short, face = items("fer2013", tmp_path / "x.csv")
    assert short == Rejected("x.csv:4", "2 columns in place of 3", lost=True) and face.file == "x.csv:5"


def test_a_row_with_a_large_picture_is_read(tmp_path: Path):
    (tmp_path / "x.csv").write_text("emotion,pixels,Usage\n0," + "100 " * 224**2 + ",Training\n")
    assert counts("fer2013", tmp_path / "x.csv") == {("train", "anger"): 1}


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        ("train/{}/Training_1.jpg test/{}/PublicTest_2.jpg test/{}/PrivateTest_3.jpg", "train val test"),
        ("images/train/{}/1.jpg images/validation/{}/2.jpg", "train test"),
        ("train/{}/im0.png test/{}/im1.png", "train test"),
        ("Train/{}/1.webp Valid/{}/2.webp TEST/{}/3.webp", "train val test"),
        ("fer/Training/{}/1.bmp fer/PublicTest/{}/2.bmp fer/PrivateTest/{}/3.bmp", "train val test"),
        ("{}/Training_1.png {}/PrivateTest_2.png", "train test"),
    ],
)
@pytest.mark.parametrize("folder", [str, "0 {}".format, str.title])
def test_fer2013_is_read_from_folders_of_every_form(tmp_path: Path, names: str, parts: str, folder):
    paths = [name.format(folder(label)) for label in ("angry", "sad", "happiness") for name in names.split()]
    path = packed(tmp_path / "x.zip", paths)
    labels = ("anger", "sadness", "happy")
    assert counts("fer2013", path) == {(part, label): 1 for part in parts.split() for label in labels}


def test_parts_of_fer2013_in_different_types_of_file_are_all_read(tmp_path: Path):
    names = ["train/angry/Training_1.jpg", "test/angry/PrivateTest_2.png", "test/angry/PublicTest_3.TIFF"]
    assert counts("fer2013", packed(tmp_path / "x.zip", names)) == {
        ("train", "anger"): 1, ("test", "anger"): 1, ("val", "anger"): 1,
    }  # fmt: skip


# --- FER+ ---

VOTES = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def vote_line(usage: str, image_name: str, **votes: int) -> str:
    names = ("neutral", "happy", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "nf")
    return ",".join([usage, image_name, *(str(votes.get(name, 0)) for name in names)])


def ferplus_table(votes: list[str], rows: list[str]) -> dict[str, bytes]:
    return {
        "fer2013new.csv": "\n".join([VOTES, *votes]).encode(),
        "fer2013.csv": "\n".join(["emotion,pixels,Usage", *rows]).encode(),
    }


def test_votes_of_ferplus_beside_fer2013_are_no_faces_of_fer2013(tmp_path: Path):
    votes = [vote_line("Training", f"fer{number:07}.png", happy=10) for number in range(21)]
    path = zipped(tmp_path / "x.zip", ferplus_table(votes, fer_rows()))
    assert counts("fer2013", path) == FER_COUNTS and lost("fer2013", path) == []


def test_ferplus_is_the_majority_of_votes_for_the_rows_of_fer2013(tmp_path: Path):
    votes = [
        vote_line("Training", "fer0000000.png", anger=6, fear=3, disgust=1),
        vote_line("Training", "fer0000001.png", anger=5, fear=5),
        vote_line("Training", "", anger=10),
        vote_line("PublicTest", "fer0000003.png", contempt=8),
        vote_line("PrivateTest", "fer0000004.png", nf=9, anger=1),
        vote_line("PrivateTest", "fer0000005.png", sadness=5, anger=1, fear=1, disgust=1, happy=1, neutral=1),
    ]
    labels = [0, 0, 0, 4, 4, 4]
    rows = [f"{code},1 2 3 {n},{votes[n].split(',')[0]}" for n, code in enumerate(labels)]
    found = items("ferplus", zipped(tmp_path / "x.zip", ferplus_table(votes, rows)))
    faces = [item for item in found if isinstance(item, Picture)]
    assert [(face.label, face.official, face.content[-1]) for face in faces] == [
        ("anger", "train", "0"), ("contempt", "val", "3"), ("sadness", "test", "5"),
    ]  # fmt: skip
    assert [item.reason for item in found if isinstance(item, Rejected)] == [
        "no majority among the votes of FER+", "dropped by the authors of FER+", "not a face by the votes of FER+",
    ]  # fmt: skip


def ordered(order: Iterable[int]) -> tuple[list[str], list[str]]:
    emotions = ["anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral"]
    votes = [vote_line("Training", f"fer{n:07}.png", **{emotions[n % 7]: 10}) for n in range(70)]
    return votes, [f"{n % 7},1 2 3 {n},Training" for n in order]


@pytest.mark.parametrize("change", ["rotated", "shorter", "longer", "other parts"])
def test_ferplus_with_rows_in_another_order_is_refused(tmp_path: Path, change: str):
    votes, rows = ordered(range(70))
    assert len(counts("ferplus", zipped(tmp_path / "x.zip", ferplus_table(votes, rows)))) == 7
    match change:
        case "rotated":
            rows = rows[1:] + rows[:1]
        case "shorter":
            del rows[60]
        case "longer":
            rows.append(rows[0])
        case "other parts":
            rows[3] = rows[3].replace("Training", "PublicTest")
    with pytest.raises(InputError, match="not those of fer2013new.csv"):
        items("ferplus", zipped(tmp_path / "x.zip", ferplus_table(votes, rows)))


@pytest.mark.parametrize("lists", ["label.csv", "fer2013new.csv", "both"])
def test_ferplus_is_read_from_its_own_pictures_in_any_order(tmp_path: Path, lists: str):
    members = {}
    table = [VOTES]
    for number, (folder, usage) in enumerate([("Train", "Training"), ("Valid", "PublicTest"), ("Test", "PrivateTest")]):
        name = f"fer{number:07}.png"
        members[f"FER2013{folder}/{name}"] = PNG
        if lists != "fer2013new.csv":
            members[f"FER2013{folder}/label.csv"] = f'{name},"(0, 0, 48, 48)",0,9,1,0,0,0,0,0,0,0\n'.encode()
        table.insert(1, vote_line(usage, name, happy=9))
    if lists != "label.csv":
        members["fer2013new.csv"] = "\n".join(table).encode()
    path = zipped(tmp_path / "x.zip", members)
    assert counts("ferplus", path) == {("train", "happy"): 1, ("val", "happy"): 1, ("test", "happy"): 1}
    assert lost("ferplus", path) == []
    assert counts("fer2013", path) == {}  # FER2013's own labels are not there


def test_ferplus_takes_the_votes_of_each_list_for_what_it_names(tmp_path: Path):
    """Names by label.csv, whose part names FER2013Test sort before fer2013new.csv; rows by fer2013new.csv."""
    votes = [vote_line("Training", "fer0000009.png", anger=10), vote_line("PrivateTest", "fer0000004.png", happy=10)]
    table = ferplus_table(votes, ["0,1 2 3 4,Training", "3,1 2 3 5,PrivateTest"])
    lists = {
        "data/FER2013Test/label.csv": b'fer0000004.png,"(0, 0, 48, 48)",0,0,0,10,0,0,0,0,0,0\n',
        "data/FER2013Train/label.csv": b'fer0000009.png,"(0, 0, 48, 48)",0,0,0,0,0,10,0,0,0,0\n',
    }
    cloned = zipped(tmp_path / "cloned.zip", lists | table)
    assert counts("ferplus", cloned) == {("train", "anger"): 1, ("test", "happy"): 1}
    images = {"data/FER2013Test/fer0000004.png": PNG, "data/FER2013Train/fer0000009.png": PNG}
    for number, members in enumerate((lists | table | images, table | lists | images)):
        path = zipped(tmp_path / f"{number}.zip", members)
        assert counts("ferplus", path) == {("train", "disgust"): 1, ("test", "sadness"): 1}
    alone = zipped(tmp_path / "alone.zip", lists | {"fer2013.csv": table["fer2013.csv"]})
    with pytest.raises(InputError, match="fer2013new.csv is missing"):
        counts("ferplus", alone)


def test_pictures_of_ferplus_beside_the_table_of_fer2013_are_not_lost(tmp_path: Path):
    table = "\n".join(["emotion,pixels,Usage", *fer_rows()]).encode()
    path = zipped(tmp_path / "x.zip", {"fer2013.csv": table, "FER2013Train/fer0000000.png": PNG, "x/label.csv": b"1"})
    assert counts("fer2013", path) == FER_COUNTS and lost("fer2013", path) == []


def test_ferplus_without_votes_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no votes of FER"):
        items("ferplus", packed(tmp_path / "x.zip", ["FER2013Train/fer0000000.png"]))


# --- RAF-DB ---

RAF_PICTURES = [f"basic/Image/aligned/{name}_aligned.jpg" for name in ("train_00001", "train_00002", "test_0001")]
RAF_COUNTS = {("train", "sadness"): 1, ("train", "surprise"): 1, ("test", "neutral"): 1}


@pytest.mark.parametrize(
    "name", ["list_patition_label.txt", "list_partition_label.txt", "LIST_PARTITION_LABEL.TXT", "labels.csv"]
)
@pytest.mark.parametrize(
    "lines",
    [
        "train_00001.jpg 5\ntrain_00002.jpg 1\ntest_0001.jpg 7",
        "\ufefftrain_00001.jpg 5\r\ntrain_00002.jpg 1\r\ntest_0001.jpg 7\r\n",
        "train_00001.jpg 5 2\ntrain_00002.jpg 1 2\ntest_0001.jpg 7 3",
        "train_00001_aligned.jpg,5\ntrain_00002_aligned.jpg,1\ntest_0001_aligned.jpg,7",
        "image\tlabel\ntrain_00001.jpg\t5.0\ntrain_00002.jpg\t1.0\ntest_0001.jpg\t7.0",
        "id,image,coarse,label\n0,train_00001.jpg,3,5\n1,train_00002.jpg,2,1\n2,test_0001.jpg,1,7",
        "train_00001.jpg Sadness\ntrain_00002.jpg surprise\ntest_0001.jpg neutral",
        "5 train_00001.jpg\n1 train_00002.jpg\n7 test_0001.jpg",
    ],
)
def test_rafdb_is_read_by_lists_of_every_form(tmp_path: Path, name: str, lines: str):
    path = zipped(tmp_path / "x.zip", {f"basic/EmoLabel/{name}": lines.encode(), **dict.fromkeys(RAF_PICTURES, PNG)})
    assert counts("rafdb", path) == RAF_COUNTS and lost("rafdb", path) == []


@pytest.mark.parametrize(
    ("train", "test"),
    [("train", "test"), ("train", "valid"), ("Training", "Validation"), ("raf/train", "raf/val")],
)
@pytest.mark.parametrize("classes", [("5", "7"), ("sad", "neutral"), ("5_Sadness", "7_Neutral")])
@pytest.mark.parametrize("names", [("train_00001_aligned.jpg", "test_0001_aligned.jpg"), ("1.png", "2.png")])
def test_rafdb_is_read_by_folders_of_every_form(tmp_path: Path, train, test, classes, names):
    paths = [f"{train}/{classes[0]}/{names[0]}", f"{test}/{classes[1]}/{names[1]}"]
    assert counts("rafdb", packed(tmp_path / "x.zip", paths)) == {("train", "sadness"): 1, ("test", "neutral"): 1}


@pytest.mark.parametrize("code", ["0", "8", "10", "00"])
def test_rafdb_with_a_code_that_it_does_not_have_is_refused(tmp_path: Path, code: str):
    with pytest.raises(InputError, match=f"unknown emotion '{code}'.*1 .surprise"):
        items("rafdb", packed(tmp_path / "x.zip", [f"DATASET/train/{code}/train_00001_aligned.jpg"]))


def test_rafdb_originals_beside_aligned_faces_are_not_read_and_alone_are_refused(tmp_path: Path):
    label = b"train_00001.jpg 5\ntrain_00002.jpg 1\ntest_0001.jpg 7\n"
    originals = [f"basic/Image/original/{name}.jpg" for name in ("train_00001", "train_00002", "test_0001")]
    both = zipped(
        tmp_path / "x.zip", {**dict.fromkeys([*originals, *RAF_PICTURES], PNG), "list_patition_label.txt": label}
    )
    assert counts("rafdb", both) == RAF_COUNTS and lost("rafdb", both) == []
    alone = zipped(tmp_path / "y.zip", {**dict.fromkeys(originals, PNG), "list_patition_label.txt": label})
    assert counts("rafdb", alone) == {} and "get Image/aligned.zip" in lost("rafdb", alone)[0]


def test_contradicting_labels_of_rafdb_are_refused(tmp_path: Path):
    folder = {"train/5/train_00001_aligned.jpg": PNG}
    with pytest.raises(InputError, match="in the folder of sadness, but happy in train_labels.csv:2"):
        items(
            "rafdb",
            zipped(tmp_path / "x.zip", {"train_labels.csv": b"image,label\ntrain_00001_aligned.jpg,4\n", **folder}),
        )
    with pytest.raises(InputError, match="labels.txt:2: train_00001 is happy here, and sadness in labels.txt:1"):
        items("rafdb", zipped(tmp_path / "x.zip", {"labels.txt": b"train_00001.jpg 5\ntrain_00001.jpg 4\n", **folder}))


def test_a_list_of_rafdb_with_too_many_lines_is_refused(tmp_path: Path):
    content = {"list_patition_label.txt": b"train_00001.jpg 5\n" * 9, **dict.fromkeys(RAF_PICTURES, PNG)}
    archive = Archive(zipped(tmp_path / "x.zip", content), limits=LIMITS.model_copy(update={"members": 8}))
    with pytest.raises(InputError, match="list_patition_label.txt: more than 8 lines.*data.limits.members"):
        list(READERS["rafdb"].read(archive))


def test_listed_images_of_rafdb_that_are_missing_are_lost(tmp_path: Path):
    path = zipped(
        tmp_path / "x.zip", {"labels.txt": b"train_00001.jpg 5\ntest_0001.jpg 4\n", "train_00001_aligned.jpg": PNG}
    )
    assert lost("rafdb", path) == ["listed, but not in the archive"]
