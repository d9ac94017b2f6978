"""Demo archives: layouts of the real data sets, planted defects, and expressions that a classifier can recognise."""

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
from stages.sources.drawing.camera import random_view
from stages.sources.drawing.face import draw
from stages.sources.drawing.people import random_person
from stages.sources.drawing.rendering import STYLES

FACES = {"ck48": 180, "jaffe": 80, "sfew": 180, "fer2013": 240, "rafdb": 180}
FER2013 = ["anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral"]
RAFDB = ["surprise", "fear", "disgust", "happy", "sadness", "anger", "neutral"]
WOMEN = {"KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM"}
EMOTIONS_BY_NAME = {
    "angry": "anger", "sad": "sadness",
    "AN": "anger", "DI": "disgust", "FE": "fear", "HA": "happy", "NE": "neutral", "SA": "sadness", "SU": "surprise",
    **{str(number): emotion for number, emotion in enumerate(RAFDB, start=1)},
}  # fmt: skip

# Data set → format, size, modes and file names of its images
LAYOUTS = {
    "ck48": (
        "PNG",
        (48, 48),
        {"L"},
        r"CK\+48/(?P<emotion>[a-z]+)/(?P<person>S\d{3})_(?P<sequence>\d{3})_(?P<frame>\d{8})\.png",
    ),
    "jaffe": ("TIFF", (256, 256), {"L", "P"}, r"jaffedbase/(?P<person>[A-Z]{2})\.(?P<emotion>[A-Z]{2})\d\.\d+\.tiff"),
    "sfew": (
        "PNG",
        (143, 181),
        {"RGB"},
        r"(?P<part>Train|Val)/(?P<emotion>[A-Z][a-z]+)/(?P<person>[A-Za-z]+)_\d{9}_\d{8}\.png",
    ),
    "fer2013": (
        "JPEG",
        (48, 48),
        {"L"},
        r"(?:train|test)/(?P<emotion>[a-z]+)/(?P<part>[A-Za-z]+)_(?P<person>\d+)\.jpg",
    ),
    "rafdb": (
        "JPEG",
        (100, 100),
        {"RGB"},
        r"DATASET/(?P<part>train|test)/(?P<emotion>[1-7])/(?P<person>(?P=part)_\d{4,5})_aligned\.jpg",
    ),
}


@pytest.fixture(scope="module")
def members(drawn):
    """Return a function that reads a demo archive: data set → name → content of each member."""

    def read(dataset: str, layout: str = "folders") -> dict[str, bytes]:
        with zipfile.ZipFile(drawn(dataset, FACES[dataset], layout) / f"{dataset}.zip") as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    return read


def parse_name(dataset: str, name: str) -> SimpleNamespace:
    """Return part, emotion, person and other fields in the name of an image."""
    match = re.fullmatch(LAYOUTS[dataset][3], name)
    assert match, f"{name} is not named as in {dataset}"
    fields = {"part": ""} | match.groupdict()
    word = fields["emotion"] if fields["emotion"].isupper() else fields["emotion"].lower()
    return SimpleNamespace(**fields | {"emotion": EMOTIONS_BY_NAME.get(word, word)})


def images_only(dataset: str, members: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in members.items() if not name.endswith(".csv")}


def pixels(content: bytes) -> np.ndarray | None:
    """Return grey pixels, or None if the file is truncated."""
    try:
        return np.asarray(Image.open(io.BytesIO(content)).convert("L"))
    except OSError:
        return None


@pytest.mark.parametrize("dataset", FACES)
def test_layout(dataset, members):
    form, size, modes, _ = LAYOUTS[dataset]
    files = images_only(dataset, members(dataset))
    assert abs(len(files) - FACES[dataset]) <= 0.05 * FACES[dataset]
    emotions = {parse_name(dataset, name).emotion for name in files}
    assert emotions == set(FER2013) ^ ({"neutral", "contempt"} if dataset == "ck48" else set())
    images = [Image.open(io.BytesIO(content)) for content in files.values()]
    assert {image.format for image in images} == {form}
    assert {image.size for image in images} == {size}
    assert {image.mode for image in images} == modes


def test_ck48_has_sequences_of_three_similar_frames(members):
    files = members("ck48")
    sequences = {}
    for name, content in files.items():
        fields = parse_name("ck48", name)
        sequences.setdefault((fields.person, fields.sequence, fields.emotion), []).append((int(fields.frame), content))
    planted = {content for content, n in Counter(files.values()).items() if n > 1}
    for frames in sequences.values():
        first, second, third = sorted(frames)
        assert (second[0], third[0]) == (first[0] + 1, first[0] + 2)
        if not planted & {first[1], second[1], third[1]}:
            assert len({first[1], second[1], third[1]}) == 3
            assert np.abs(pixels(first[1]).astype(float) - pixels(third[1])).mean() < 6
    people = Counter(person for person, _, _ in sequences)
    assert set(people.values()) <= {2, 3}
    assert len(set(sequences)) == len({(person, emotion) for person, _, emotion in sequences})


def test_jaffe_has_ten_women_and_the_palette_images_of_the_real_archive(members):
    files = members("jaffe")
    assert {parse_name("jaffe", name).person for name in files} == WOMEN
    for name, content in files.items():
        palette = "/KM." in name or "/KA.AN1." in name
        assert Image.open(io.BytesIO(content)).mode == ("P" if palette else "L"), name
    assert len({(parse_name("jaffe", name).person, parse_name("jaffe", name).emotion) for name in files}) == 70


def test_sfew_parts_share_no_film(members):
    films = {"Train": set(), "Val": set()}
    for name in members("sfew"):
        fields = parse_name("sfew", name)
        films[fields.part].add(fields.person)
    assert len(films["Train"]) > len(films["Val"]) >= 8
    assert not films["Train"] & films["Val"]


def test_fer2013_has_few_faces_of_disgust_and_three_parts(members):
    names = [parse_name("fer2013", name) for name in members("fer2013")]
    emotions, parts = Counter(name.emotion for name in names), Counter(name.part for name in names)
    assert emotions.most_common()[-1][0] == "disgust" and emotions.most_common()[0][0] == "happy"
    assert set(parts) == {"Training", "PublicTest", "PrivateTest"} and parts["Training"] > 3 * parts["PrivateTest"]
    assert all(name.startswith("train/") == ("/Training_" in name) for name in members("fer2013"))


def test_fer2013_is_the_same_as_a_table_and_as_folders(members):
    table = csv.DictReader(io.StringIO(members("fer2013", "csv")["fer2013.csv"].decode()))
    rows = Counter()
    for row in table:
        values = np.array(row["pixels"].split(), np.uint8)
        rows[FER2013[int(row["emotion"])], row["Usage"], values.tobytes() if len(values) == 2304 else None] += 1
    files = Counter()
    for name, content in members("fer2013").items():
        fields, image = parse_name("fer2013", name), pixels(content)
        files[fields.emotion, fields.part, None if image is None else image.tobytes()] += 1
    assert rows == files


def test_rafdb_lists_have_every_image_with_its_label(members):
    files = members("rafdb")
    listed = {
        f"DATASET/{part}/{row['label']}/{row['image']}"
        for part in ("train", "test")
        for row in csv.DictReader(io.StringIO(files[f"{part}_labels.csv"].decode()))
    }
    assert listed == set(images_only("rafdb", files))


@pytest.mark.parametrize("dataset", FACES)
def test_defects_are_at_the_listed_places_only(dataset, members):
    places, seen = {}, Counter()
    for name, content in images_only(dataset, members(dataset)).items():
        fields = parse_name(dataset, name)
        places[fields.part, fields.emotion, seen[fields.part, fields.emotion]] = content
        seen[fields.part, fields.emotion] += 1
    for place, planted in demo.DEFECTS[dataset].items():
        content = places.pop(place)
        if planted == "cut":
            assert pixels(content) is None
        elif planted == "black":
            assert not pixels(content).any()
        else:
            assert content == places[planted]
    assert all(pixels(content).std() > 3 for content in places.values())
    assert len(set(places.values())) == len(places)


def test_every_kind_of_defect_is_planted():
    planted = [(place, what) for places in demo.DEFECTS.values() for place, what in places.items()]
    copies = [(place, what) for place, what in planted if isinstance(what, tuple)]
    assert {"black", "cut"} <= {what for _, what in planted if isinstance(what, str)}
    assert any(at[1] != of[1] for at, of in copies), "no duplicates with different labels"
    assert any(at[0] != of[0] and at[1] == of[1] for at, of in copies), "no duplicates in different parts"


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("layout", ["csv", "folders"])
def test_the_same_bytes_without_vector_instructions(layout, tmp_path):
    """Vector instructions of NumPy and libjpeg, the seed of `hash` and the order of data sets make no difference."""
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


def test_a_linear_classifier_recognises_most_emotions_but_not_all(members):
    """On small images of unseen people, its accuracy is far from 1/7 (guessing) and from 1."""
    faces, emotions, people = [], [], []
    for name, content in members("ck48").items():
        small = Image.open(io.BytesIO(content)).resize((16, 16), Image.Resampling.BOX)
        faces.append(np.asarray(small).ravel() / 255)
        emotions.append(parse_name("ck48", name).emotion)
        people.append(int(parse_name("ck48", name).person[1:]))
    test, emotions = np.array(people) % 4 == 0, np.array(emotions)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(np.array(faces)[~test], emotions[~test])
    assert 0.35 < model.score(np.array(faces)[test], emotions[test]) < 0.95


@pytest.mark.parametrize("units, moves", [({"1": 1, "2": 1}, "brows"), ({"12": 1}, "mouth"), ({"26": 1}, "mouth")])
def test_action_units_change_their_region_of_the_face(units, moves):
    rng = np.random.default_rng(0)
    someone, style = random_person(rng, men=0.0), STYLES["jaffe"]
    scene = random_view(style, rng)
    rest, moved = (draw(someone, each, scene, style, np.random.default_rng(1)).astype(float) for each in ({}, units))
    change = np.abs(moved - rest)
    brows, mouth = change[80:120].mean(), change[130:190].mean()
    assert (brows > 2 * mouth) if moves == "brows" else (mouth > 2 * brows)


def test_contempt_changes_one_side_only():
    rng = np.random.default_rng(0)
    someone, style = random_person(rng, men=0.0), STYLES["jaffe"]
    scene = random_view(style, rng)._replace(x=0.0, roll=0.0, yaw=0.0)
    rest, moved = (draw(someone, each, scene, style, np.random.default_rng(1)) for each in ({}, {"12R": 0.6, "14R": 1}))
    change = np.abs(moved.astype(float) - rest)
    assert change[:, :124].mean() > 5 * change[:, 132:].mean()


def test_the_provenance_states_drawn_faces(tmp_path):
    source = demo.fetch("ck48", SimpleNamespace(faces=60), tmp_path)
    assert (source["source"], source["drawn"], source["date"]) == ("demo", True, None)
    assert source["licence"].startswith("CC0-1.0")
    assert [path.name for path in tmp_path.iterdir()] == ["ck48.zip"]


def test_an_unknown_data_set_raises_input_error(tmp_path):
    with pytest.raises(InputError, match="'ck47'.*ck48"):
        demo.fetch("ck47", SimpleNamespace(faces=60), tmp_path)
    assert not list(tmp_path.iterdir())
