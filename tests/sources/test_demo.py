"""The drawn archives have the real data sets' layouts, the planted defects, and faces that can be told apart."""

import csv
import hashlib
import io
import os
import re
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from stages.base.errors import InputError
from stages.sources import demo
from stages.sources.drawing.camera import view
from stages.sources.drawing.face import draw
from stages.sources.drawing.people import person
from stages.sources.drawing.studio import STYLES

FACES = {"ck48": 180, "jaffe": 80, "sfew": 180, "fer2013": 240, "rafdb": 180}
FER2013 = ["anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral"]
RAFDB = ["surprise", "fear", "disgust", "happy", "sadness", "anger", "neutral"]
WORDS = {
    "angry": "anger", "sad": "sadness",
    "AN": "anger", "DI": "disgust", "FE": "fear", "HA": "happy", "NE": "neutral", "SA": "sadness", "SU": "surprise",
    **{str(number): emotion for number, emotion in enumerate(RAFDB, start=1)},
}  # fmt: skip

# (format, size, modes) of its pictures; their names, with what these say of part, emotion and person
LAYOUTS = {
    "ck48": (
        "PNG",
        (48, 48),
        {"L"},
        r"CK\+48/(?P<emotion>[a-z]+)/(?P<who>S\d{3})_(?P<sequence>\d{3})_(?P<frame>\d{8})\.png",
    ),
    "jaffe": ("TIFF", (256, 256), {"L", "P"}, r"jaffedbase/(?P<who>[A-Z]{2})\.(?P<emotion>[A-Z]{2})\d\.\d+\.tiff"),
    "sfew": (
        "PNG",
        (143, 181),
        {"RGB"},
        r"(?P<part>Train|Val)/(?P<emotion>[A-Z][a-z]+)/(?P<who>[A-Za-z]+)_\d{9}_\d{8}\.png",
    ),
    "fer2013": ("JPEG", (48, 48), {"L"}, r"(?:train|test)/(?P<emotion>[a-z]+)/(?P<part>[A-Za-z]+)_(?P<who>\d+)\.jpg"),
    "rafdb": (
        "JPEG",
        (100, 100),
        {"RGB"},
        r"DATASET/(?P<part>train|test)/(?P<emotion>[1-7])/(?P<who>(?P=part)_\d{4,5})_aligned\.jpg",
    ),
}


@pytest.fixture(scope="module")
def members(drawn):
    """`members(dataset)`: name → bytes of every member of its archive; FER2013 as folders."""

    def read(dataset: str, layout: str = "folders") -> dict[str, bytes]:
        with zipfile.ZipFile(drawn(dataset, FACES[dataset], layout) / f"{dataset}.zip") as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    return read


def told(dataset: str, name: str) -> SimpleNamespace:
    """What the name of a picture says."""
    found = re.fullmatch(LAYOUTS[dataset][3], name)
    assert found, f"{name} is not named as in {dataset}"
    said = {"part": ""} | found.groupdict()
    word = said["emotion"] if said["emotion"].isupper() else said["emotion"].lower()
    return SimpleNamespace(**said | {"emotion": WORDS.get(word, word)})


def pictures(dataset: str, members: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in members.items() if not name.endswith(".csv")}


def pixels(content: bytes) -> np.ndarray | None:
    """Grey pixels, or None where the file is cut short."""
    try:
        return np.asarray(Image.open(io.BytesIO(content)).convert("L"))
    except OSError:
        return None


@pytest.mark.parametrize("dataset", FACES)
def test_layout(dataset, members):
    form, size, modes, _ = LAYOUTS[dataset]
    files = pictures(dataset, members(dataset))
    assert abs(len(files) - FACES[dataset]) <= 0.05 * FACES[dataset]
    emotions = {told(dataset, name).emotion for name in files}
    assert emotions == set(FER2013) ^ ({"neutral", "contempt"} if dataset == "ck48" else set())
    images = [Image.open(io.BytesIO(content)) for content in files.values()]
    assert {image.format for image in images} == {form}
    assert {image.size for image in images} == {size}
    assert {image.mode for image in images} == modes


def test_ck48_has_sequences_of_three_frames_almost_alike(members):
    files = members("ck48")
    sequences = {}
    for name, content in files.items():
        said = told("ck48", name)
        sequences.setdefault((said.who, said.sequence, said.emotion), []).append((int(said.frame), content))
    planted = {content for content, n in Counter(files.values()).items() if n > 1}
    for frames in sequences.values():
        first, second, third = sorted(frames)
        assert (second[0], third[0]) == (first[0] + 1, first[0] + 2)
        if not planted & {first[1], second[1], third[1]}:
            assert len({first[1], second[1], third[1]}) == 3
            assert np.abs(pixels(first[1]).astype(float) - pixels(third[1])).mean() < 6
    people = Counter(who for who, _, _ in sequences)
    assert set(people.values()) <= {2, 3}
    assert len(set(sequences)) == len({(who, emotion) for who, _, emotion in sequences})


def test_jaffe_has_ten_women_and_palette_pictures_where_the_real_one_has(members):
    files = members("jaffe")
    assert {told("jaffe", name).who for name in files} == {"KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM"}
    for name, content in files.items():
        palette = "/KM." in name or "/KA.AN1." in name
        assert Image.open(io.BytesIO(content)).mode == ("P" if palette else "L"), name
    assert len({(told("jaffe", name).who, told("jaffe", name).emotion) for name in files}) == 70


def test_sfew_parts_share_no_film(members):
    films = {"Train": set(), "Val": set()}
    for name in members("sfew"):
        said = told("sfew", name)
        films[said.part].add(said.who)
    assert len(films["Train"]) > len(films["Val"]) >= 8
    assert not films["Train"] & films["Val"]


def test_fer2013_has_few_faces_of_disgust_and_three_parts(members):
    said = [told("fer2013", name) for name in members("fer2013")]
    emotions, parts = Counter(each.emotion for each in said), Counter(each.part for each in said)
    assert emotions.most_common()[-1][0] == "disgust" and emotions.most_common()[0][0] == "happy"
    assert set(parts) == {"Training", "PublicTest", "PrivateTest"} and parts["Training"] > 3 * parts["PrivateTest"]
    assert all(name.startswith("train/") == ("/Training_" in name) for name in members("fer2013"))


def test_fer2013_is_the_same_as_table_and_as_folders(members):
    table = csv.DictReader(io.StringIO(members("fer2013", "csv")["fer2013.csv"].decode()))
    rows = Counter()
    for row in table:
        values = np.array(row["pixels"].split(), np.uint8)
        rows[FER2013[int(row["emotion"])], row["Usage"], values.tobytes() if len(values) == 2304 else None] += 1
    files = Counter()
    for name, content in members("fer2013").items():
        said, picture = told("fer2013", name), pixels(content)
        files[said.emotion, said.part, picture if picture is None else picture.tobytes()] += 1
    assert rows == files


def test_rafdb_lists_name_every_picture_with_its_label(members):
    files = members("rafdb")
    listed = {
        f"DATASET/{part}/{row['label']}/{row['image']}"
        for part in ("train", "test")
        for row in csv.DictReader(io.StringIO(files[f"{part}_labels.csv"].decode()))
    }
    assert listed == set(pictures("rafdb", files))


@pytest.mark.parametrize("dataset", FACES)
def test_planted_defects_are_where_they_should_be_and_nowhere_else(dataset, members):
    places, seen = {}, Counter()
    for name, content in pictures(dataset, members(dataset)).items():
        said = told(dataset, name)
        places[said.part, said.emotion, seen[said.part, said.emotion]] = content
        seen[said.part, said.emotion] += 1
    for place, planted in demo.PLANTED[dataset].items():
        content = places.pop(place)
        if planted == "cut":
            assert pixels(content) is None
        elif planted == "black":
            assert not pixels(content).any()
        else:
            assert content == places[planted]
    assert all(pixels(content).std() > 3 for content in places.values())
    assert len(set(places.values())) == len(places)


def test_all_kinds_of_defects_are_planted_also_across_official_parts():
    planted = [(place, what) for places in demo.PLANTED.values() for place, what in places.items()]
    copies = [(place, what) for place, what in planted if isinstance(what, tuple)]
    assert {"black", "cut"} <= {what for _, what in planted if isinstance(what, str)}
    assert any(at[1] != of[1] for at, of in copies), "no conflicting labels"
    assert any(at[0] != of[0] and at[1] == of[1] for at, of in copies), "no duplicate across parts"


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("layout", ["csv", "folders"])
def test_the_same_bytes_without_vector_instructions(layout, tmp_path):
    """What another machine differs in: how NumPy and libjpeg compute, the seed of `hash`, the order of work."""
    found = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", [])
    plain = {"NPY_DISABLE_CPU_FEATURES": ",".join(found), "JSIMD_FORCENONE": "1", "PYTHONHASHSEED": "7"}
    program = (
        "import sys; from pathlib import Path; from types import SimpleNamespace\n"
        "from stages.sources.demo import fetch\n"
        "for name in reversed(sys.argv[3:]):\n"
        "    fetch(name, SimpleNamespace(faces=60, layout=sys.argv[1]), Path(sys.argv[2]))"
    )
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir(), there.mkdir()
    datasets = FACES if layout == "csv" else ["fer2013"]
    command = [sys.executable, "-c", program, layout, there, *datasets]
    elsewhere = subprocess.Popen(command, env=os.environ | plain, cwd=Path(demo.__file__).parents[2])
    for dataset in datasets:
        demo.fetch(dataset, SimpleNamespace(faces=60, layout=layout), here)
    assert elsewhere.wait() == 0
    for file in sorted(here.iterdir()):
        assert _sha256(file) == _sha256(there / file.name), file.name


def test_emotions_can_be_told_apart_but_not_trivially(members):
    """A linear classifier on small pixels, tested on people it has not seen, is far from chance (1 in 7) and from 1."""
    faces, emotions, people = [], [], []
    for name, content in members("ck48").items():
        small = Image.open(io.BytesIO(content)).resize((16, 16), Image.Resampling.BOX)
        faces.append(np.asarray(small).ravel() / 255)
        emotions.append(told("ck48", name).emotion)
        people.append(int(told("ck48", name).who[1:]))
    test, emotions = np.array(people) % 4 == 0, np.array(emotions)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(np.array(faces)[~test], emotions[~test])
    assert 0.35 < model.score(np.array(faces)[test], emotions[test]) < 0.95


@pytest.mark.parametrize("units, moves", [({"1": 1, "2": 1}, "brows"), ({"12": 1}, "mouth"), ({"26": 1}, "mouth")])
def test_action_units_move_their_part_of_the_face(units, moves):
    rng = np.random.default_rng(0)
    someone, style = person(rng, men=0.0), STYLES["jaffe"]
    scene = view(style, rng)
    rest, moved = (draw(someone, each, scene, style, np.random.default_rng(1)).astype(float) for each in ({}, units))
    change = np.abs(moved - rest)
    brows, mouth = change[80:120].mean(), change[130:190].mean()
    assert (brows > 2 * mouth) if moves == "brows" else (mouth > 2 * brows)


def test_contempt_is_on_one_side_only():
    rng = np.random.default_rng(0)
    someone, style = person(rng, men=0.0), STYLES["jaffe"]
    scene = view(style, rng)._replace(x=0.0, roll=0.0, yaw=0.0)
    rest, moved = (draw(someone, each, scene, style, np.random.default_rng(1)) for each in ({}, {"12R": 0.6, "14R": 1}))
    change = np.abs(moved.astype(float) - rest)
    assert change[:, :124].mean() > 5 * change[:, 132:].mean()


def test_provenance_says_that_nobody_is_shown(tmp_path):
    source = demo.fetch("ck48", SimpleNamespace(faces=60), tmp_path)
    assert source["drawn"] is True and source["source"] == "demo" and source["licence"].startswith("CC0-1.0")
    assert [path.name for path in tmp_path.iterdir()] == ["ck48.zip"]


def test_unknown_data_set(tmp_path):
    with pytest.raises(InputError, match="'ck47'.*ck48"):
        demo.fetch("ck47", SimpleNamespace(faces=60), tmp_path)
    assert not list(tmp_path.iterdir())
