"""The window of a camera: a video in place of the camera, and an off-screen display."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from helpers.drawn_faces import drawn_face
from helpers.small_model import write_model
from stages.base.errors import InputError
from stages.prediction.classifier import Classifier
from stages.prediction.video import Video, VideoWriter
from stages.prediction.webcam import Window, run


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An off-screen display; without Xvfb or Python's tkinter the tests are skipped."""
    pytest.importorskip("tkinter")
    if not shutil.which("Xvfb"):
        pytest.skip("there is no Xvfb")
    read, write = os.pipe()
    server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24"], pass_fds=[write],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    os.close(write)
    with os.fdopen(read) as number:
        yield f":{number.readline().strip()}"
    server.terminate()
    server.wait()


def write_clip(path: Path, frames: int) -> Path:
    """Write a video with a face that moves."""
    face = drawn_face("jaffe", 0)
    with VideoWriter(path, 25) as writer:
        for number in range(frames):
            frame = np.full((280, 360, 3), 120, np.uint8)
            x = 50 + round(40 * np.sin(number / 20))
            frame[10:266, x : x + 256] = face
            writer.write(frame)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


def test_without_a_display_or_a_camera_it_says_so_before_a_model_is_loaded(
    display: str, monkeypatch: pytest.MonkeyPatch
):
    for source, shown, line in [
        (0, "", "--camera: there is no display for a window"),
        (17, display, "camera 17: there is none, or another program uses it"),
        (Path("nowhere.mp4"), display, "nowhere.mp4: no such file"),
    ]:
        monkeypatch.setenv("DISPLAY", shown)
        with pytest.raises(InputError, match=line):
            run(lambda: pytest.fail("loaded"), source)


def test_a_camera_is_shown_with_its_faces_and_its_speed(
    model: Path, tmp_path: Path, display: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setenv("DISPLAY", display)
    shown: list[np.ndarray] = []
    monkeypatch.setattr(Window, "show", lambda _, picture: shown.append(picture))
    clip = write_clip(tmp_path / "clip.mp4", 12)
    run(lambda: Classifier.load(model), clip)
    assert re.fullmatch(r"12 frames, \d+ a second\n", capsys.readouterr().out)
    with Video(clip) as video:
        for picture, frame in zip(shown, video, strict=True):
            changed = np.abs(picture.astype(int) - frame).max(2) > 50
            assert changed[:20, :80].any() and changed[40:240].any()  # the speed, and a box


def test_q_closes_the_window(display: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DISPLAY", display)
    window = Window("a test")
    try:
        for size in (40, 60, 60):  # also if a picture is of another size
            window.show(np.zeros((size, size, 3), np.uint8))
        assert window.open
        window._root.focus_force()
        window._root.event_generate("<KeyPress-q>")
        window.show(np.zeros((60, 60, 3), np.uint8))
        assert not window.open
    finally:
        window.close()


@pytest.mark.slow
def test_500_frames_are_shown_without_more_and_more_memory(
    model: Path, tmp_path: Path, display: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    used: list[int] = []  # after each frame, so that neither the start nor the machine's speed counts
    show = Window.show

    def show_and_measure(window: Window, picture: np.ndarray) -> None:
        show(window, picture)
        used.append(psutil.Process().memory_info().rss)

    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setattr(Window, "show", show_and_measure)
    run(lambda: Classifier.load(model), write_clip(tmp_path / "clip.mp4", 500))
    assert re.fullmatch(r"500 frames, \d+ a second\n", capsys.readouterr().out)
    assert len(used) == 500 and np.median(used[400:]) - np.median(used[100:200]) < 20e6, used
