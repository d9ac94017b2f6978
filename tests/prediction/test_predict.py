"""The command predict, in this process: its outputs, and its mistakes, of which each is one line."""

import csv
import json
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from helpers.drawn_faces import drawn_face
from helpers.small_model import LABELS, write_model
from stages import predict
from stages.base.errors import guard
from stages.prediction.video import VideoWriter

Said = tuple[int, str, str]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def run(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> Callable[..., Said]:
    """`run(*arguments)` in an empty folder: exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["predict", "--model", str(model), *arguments])
        code = 0
        try:
            guard(predict.main)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
            print(error.code if isinstance(error.code, str) else "", file=sys.stderr)
        printed, errors = capfd.readouterr()
        return code, printed, errors.strip()

    return call


def save(path: str, pixels: np.ndarray, **options: object) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def write_video(path: str, frames: list[np.ndarray]) -> None:
    with VideoWriter(Path(path), 25) as writer:
        for frame in frames:
            writer.write(frame)


def two_faces() -> np.ndarray:
    return np.hstack([drawn_face("jaffe", 0), drawn_face("jaffe", 1)])


def moving(count: int) -> list[np.ndarray]:
    """Frames in which a face moves to the right."""
    frames = []
    for number in range(count):
        frame = np.full((300, 480, 3), 120, np.uint8)
        frame[20:276, 4 * number : 4 * number + 256] = drawn_face("jaffe", 3)
        frames.append(frame)
    return frames


def test_a_table_has_a_line_for_each_face(run: Callable[..., Said]):
    save("two.png", two_faces())
    save("folder/deep/one.jpg", drawn_face("sfew", 1))
    code, printed, errors = run("two.png", "folder")
    assert (code, errors) == (0, "")
    header, *lines = printed.splitlines()
    assert header.split() == ["file", "seconds", "face", "label", *LABELS]
    assert [line.split()[:2] for line in lines] == [["two.png", "1"], ["two.png", "2"], ["folder/deep/one.jpg", "1"]]
    for line in lines:
        *_, label, anger, happy, neutral = line.split()
        shares = dict(zip(LABELS, map(float, (anger, happy, neutral)), strict=True))
        assert label == max(shares, key=shares.get) and sum(shares.values()) == pytest.approx(1, abs=0.02)


def test_csv_and_json_say_the_same(run: Callable[..., Said]):
    save("two.png", two_faces())
    _, printed, _ = run("two.png", "--csv")
    rows = list(csv.DictReader(StringIO(printed)))
    records = json.loads(run("two.png", "--json")[1])
    assert [{key: "" if value is None else str(value) for key, value in record.items()} for record in records] == rows
    assert len(records) == 2 and sum(records[0][label] for label in LABELS) == pytest.approx(1, abs=1e-5)
    for record in records:
        assert record["label"] == max(LABELS, key=record.get) and record["right"] > record["left"] + 80
    assert {record["left"] > 256 for record in records} == {True, False}


@pytest.mark.parametrize("turned", [1, 3, 6, 8])
def test_a_picture_is_turned_upright(run: Callable[..., Said], turned: int):
    picture = Image.fromarray(drawn_face("jaffe", 0))
    exif = Image.Exif()
    exif[0x0112] = turned
    back = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[turned]
    (picture.transpose(back) if back is not None else picture).save("turned.png", exif=exif)
    picture.save("upright.png")
    one, other = json.loads(run("upright.png", "turned.png", "--json")[1])
    assert one | {"file": ""} == other | {"file": ""}


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "I;16", "CMYK"])
def test_pictures_of_any_kind_have_the_face(run: Callable[..., Said], mode: str):
    picture = Image.fromarray(drawn_face("jaffe", 0))
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    else:
        picture = picture.convert(mode)
    picture.save("any.tiff")
    code, printed, _ = run("any.tiff", "--json")
    assert code == 0 and len(json.loads(printed)) == 1


def test_annotated_pictures_show_boxes_and_keep_their_folders(run: Callable[..., Said]):
    save("a/two.png", two_faces())
    save("a/b/one.png", drawn_face("jaffe", 2))
    assert run("a", "--annotate", "out")[0] == 0
    assert sorted(str(path) for path in Path("out").rglob("*.*")) == ["out/b/one.jpg", "out/two.jpg"]
    shown = np.asarray(Image.open("out/two.jpg")).astype(int)
    assert shown.shape == two_faces().shape and np.abs(shown - two_faces()).mean() > 2


def test_a_video_has_a_person_who_is_followed(run: Callable[..., Said]):
    write_video("clip.mp4", moving(20))
    records = json.loads(run("clip.mp4", "--json", "--annotate", "out")[1])
    assert len(records) == 20 and {record["person"] for record in records} == {1}
    assert records[-1]["seconds"] == pytest.approx(19 / 25) and records[-1]["left"] > records[0]["left"] + 50
    assert len({record["label"] for record in records[5:]}) == 1
    capture = cv2.VideoCapture("out/clip.mp4")
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 20 and capture.get(cv2.CAP_PROP_FPS) == 25
    line = run("clip.mp4")[1].splitlines()[1]
    assert line.split()[:3] == ["clip.mp4", "0.0–0.8", "1"]


def test_a_video_that_is_cut_short_is_one_line(run: Callable[..., Said]):
    writer = cv2.VideoWriter("cut.avi", cv2.VideoWriter.fourcc(*"MJPG"), 25, (480, 300))
    for frame in moving(20):
        writer.write(frame)
    writer.release()
    content = Path("cut.avi").read_bytes()
    Path("cut.avi").write_bytes(content[: len(content) // 2])
    code, _, errors = run("cut.avi")
    assert code == 1 and errors.startswith("ERROR: cut.avi: cut short after ") and errors.count("\n") == 0


def huge(path: str) -> None:
    Image.new("L", (10_000, 10_000)).save(path)


MISTAKES = {
    "missing.png": (lambda: None, "missing.png: no such file or folder"),
    "empty": (lambda: Path("empty").mkdir(), "empty: there is no picture and no video in this folder"),
    "text.png": (lambda: Path("text.png").write_text("hello"), "text.png: not a picture, or cut short"),
    "nothing.jpg": (lambda: Path("nothing.jpg").touch(), "nothing.jpg: not a picture, or cut short"),
    "huge.png": (lambda: huge("huge.png"), "huge.png: a picture of 10000x10000 pixels is too large"),
    "grey.png": (lambda: save("grey.png", np.full((90, 90, 3), 99, np.uint8)), "grey.png: no face found"),
    "text.mp4": (lambda: Path("text.mp4").write_text("hello"), "text.mp4: not a video, or cut short"),
    "grey.mp4": (lambda: write_video("grey.mp4", [np.full((96, 96, 3), 99, np.uint8)] * 3), "grey.mp4: no face found"),
}  # fmt: skip


def test_each_mistake_is_one_line_and_the_other_files_are_done(run: Callable[..., Said]):
    for make, _ in MISTAKES.values():
        make()
    save("folder/face.png", drawn_face("jaffe", 0))
    Path("folder/broken.png").write_bytes(Path("folder/face.png").read_bytes()[:900])
    Path("folder/notes.txt").touch()
    code, printed, errors = run(*MISTAKES, "folder", "--json")
    assert code == 1 and [record["file"] for record in json.loads(printed)] == ["folder/face.png"]
    note = "folder: left out 1 that are no pictures or videos by their names: notes.txt"
    lines = [f"ERROR: {line}" for _, line in MISTAKES.values()] + [
        "ERROR: folder/broken.png: not a picture, or cut short"
    ]
    assert sorted(errors.splitlines()) == sorted([*lines, note])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.png", "b/a.png", "--annotate", "out"], "both a.png and b/a.png would become out/a.jpg"),
        (["b", "--annotate", "b"], "b/c.jpg is one of the files to read"),
    ],
)
def test_annotating_replaces_no_file(run: Callable[..., Said], arguments: list[str], message: str):
    for path in ("a.png", "b/a.png", "b/c.jpg"):
        save(path, drawn_face("jaffe", 0))
    code, printed, errors = run(*arguments)
    assert (code, printed) == (1, "") and message in errors and errors.count("\n") == 0


def test_a_damaged_model_is_one_line(run: Callable[..., Said], model: Path):
    save("a.png", drawn_face("jaffe", 0))
    broken = write_model(Path("broken"))
    (broken / "weights.safetensors").write_bytes(b"1")
    code, printed, errors = run("a.png", "--model", "broken")
    assert (code, printed, errors.count("\n")) == (1, "", 0) and "not a model of this project, or damaged" in errors
