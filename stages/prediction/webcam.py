"""A window that shows what a camera sees, with the faces in it and their expressions."""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from stages.base.errors import InputError
from stages.prediction.annotation import annotate
from stages.prediction.classifier import Classifier
from stages.prediction.tracking import Tracker
from stages.prediction.video import Video, use_one_thread

SPEED_FRAMES = 30  # over which the frames per second are counted


class Window:
    """A window that shows one picture after another until q is pressed or it is closed.

    Raises:
        InputError: there is no display, or Python was installed without its windows.
    """

    def __init__(self, title: str) -> None:
        try:
            import tkinter  # is left out of some installations of Python

            from PIL import ImageTk  # imports it
        except ImportError:
            raise InputError("--camera: Python has no tkinter for a window; install it (Debian: python3-tk)") from None
        try:
            self._root = tkinter.Tk()
        except tkinter.TclError:
            raise InputError("--camera: there is no display for a window; run it on a desktop") from None
        self._root.title(title)
        self._label = tkinter.Label(self._root)
        self._label.pack()
        self._to_tk = ImageTk.PhotoImage
        self._picture: ImageTk.PhotoImage | None = None
        self.open = True
        self._root.bind("q", self._close)
        self._root.protocol("WM_DELETE_WINDOW", self._close)

    def show(self, picture: np.ndarray) -> None:
        """Show a picture, uint8, H×W×3, RGB, in place of the last one."""
        image = Image.fromarray(picture)
        if self._picture is None or (self._picture.width(), self._picture.height()) != image.size:
            self._picture = self._to_tk(image)
            self._label.configure(image=self._picture)
        else:
            self._picture.paste(image)
        self._root.update()

    def close(self) -> None:
        self._root.destroy()

    def _close(self, *_: object) -> None:
        self.open = False


def run(load: Callable[[], Classifier], source: Path | int) -> None:
    """Show the faces that a camera sees, and their expressions, until q is pressed; then print how fast it was.

    Args:
        load: returns the classifier; called once there are a display and a camera.
        source: the number of a camera, or a video in its place.

    Raises:
        InputError: there is no display or no camera, or the camera gives no more pictures.
    """
    window = Window("q quits")
    try:
        with Video(source) as video:
            use_one_thread()
            classifier, tracker = load(), Tracker()
            count, start = 0, time.perf_counter()
            times = deque([start], SPEED_FRAMES)
            for frame in video:
                numbered = tracker(frame, classifier.predict([frame], small=False)[0], time.perf_counter())
                times.append(time.perf_counter())
                note = f"{(len(times) - 1) / (times[-1] - times[0]):.0f} frames/s"
                window.show(annotate(frame, [face for _, face in numbered], [person for person, _ in numbered], note))
                count += 1
                if not window.open:
                    break
            print(f"{count} frames, {count / (time.perf_counter() - start):.0f} a second")
    finally:
        window.close()
