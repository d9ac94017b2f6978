"""Reading and writing of the frames of videos and cameras. Sound is left out."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import torch

from stages.base.errors import InputError

SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")
DEFAULT_FPS = 25.0  # of a video that does not tell
CUT_SHORT = 0.9  # share of the frames that a file announces; the number is an estimate in some files

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what is wrong is said in one line


def use_one_thread() -> None:
    """Let torch compute on one thread: the few faces of a frame give more no work, and waiting ones use the cores."""
    torch.set_num_threads(1)


class Video:
    """The frames of a video file or a camera: uint8, H×W×3, RGB; a context manager.

    Args:
        source: the path of a video, or the number of a camera.

    Attributes:
        fps: frames a second.
        frames: how many frames the file announces; 0 for a camera.

    Raises:
        InputError: it cannot be opened, or, after the last frame, the file has fewer than it announces.
    """

    def __init__(self, source: Path | int) -> None:
        self._source = source
        if isinstance(source, int):
            self._capture = cv2.VideoCapture(source)
        else:
            self._capture = cv2.VideoCapture(str(source), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            if isinstance(source, int):
                raise InputError(f"camera {source}: there is none, or another program uses it; the first one is 0")
            raise InputError(f"{source}: not a video, or cut short" if source.is_file() else f"{source}: no such file")
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 1 <= fps <= 1000 else DEFAULT_FPS
        self.frames = max(int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)

    def __iter__(self) -> Iterator[np.ndarray]:
        count = 0
        while (frame := self._capture.read()[1]) is not None:
            count += 1
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        if isinstance(self._source, int):
            raise InputError(f"camera {self._source}: gives no more pictures; is it still connected?")
        if count < max(CUT_SHORT * self.frames, 1):
            raise InputError(f"{self._source}: cut short after {count} of {self.frames} frames")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._capture.release()


class VideoWriter:
    """Writes frames of equal size, uint8, H×W×3, RGB, as an MPEG-4 video; a context manager.

    The file is there at the end of the context, if no error ended it and there was a frame.

    Args:
        path: the file.
        fps: frames a second.

    Raises:
        InputError: the file cannot be written.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path, self._fps = path, fps
        self._part = path.with_name(f"{path.name}.mp4")  # OpenCV chooses the format by the name
        self._writer: cv2.VideoWriter | None = None

    def write(self, frame: np.ndarray) -> None:
        """Append a frame."""
        if self._writer is None:
            size, code = frame.shape[1::-1], cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._part), cv2.CAP_FFMPEG, code, self._fps, size)
            if not self._writer.isOpened():
                raise InputError(f"{self._path}: cannot be written as a video")
        self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._writer:
            self._writer.release()
            if kind is None:
                self._part.replace(self._path)
        self._part.unlink(missing_ok=True)
