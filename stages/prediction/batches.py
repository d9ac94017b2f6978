"""Prediction of many files: pictures in batches, videos frame by frame."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from stages.base.atomic import atomic_output
from stages.base.errors import InputError
from stages.base.progress import progress
from stages.prediction.annotation import annotate
from stages.prediction.classifier import Classifier, Face
from stages.prediction.files import File, output_path
from stages.prediction.pictures import read_picture
from stages.prediction.tracking import Tracker
from stages.prediction.video import Video, VideoWriter, use_one_thread

MAX_PICTURES, MAX_PIXELS = 32, 2**26  # of a batch
QUALITY = 90  # of the annotated JPEGs


class Row(NamedTuple):
    """A face in a file.

    Attributes:
        person: its number within the picture, or that of the person within the video, from 1.
        face: the face.
        seconds: time of the frame; None in a picture.
    """

    person: int
    face: Face
    seconds: float | None = None


Result = tuple[File, list[Row] | InputError]


def predict_files(
    classifier: Classifier, files: Iterable[File], folder: Path | None, cropped: bool
) -> Iterator[Result]:
    """Yield the faces in each file, or what is wrong with it.

    Args:
        classifier: the classifier.
        files: pictures and videos.
        folder: where annotated files are written; None for nowhere.
        cropped: whether each picture is a face that is cut out already, as in training.
    """
    batch: list[tuple[File, np.ndarray]] = []
    for file in files:
        try:
            if file.is_video:
                yield file, _some(_predict_video(classifier, file, folder), file)
                continue
            batch.append((file, read_picture(file.path)))
        except InputError as error:
            yield file, error
        if len(batch) == MAX_PICTURES or sum(picture.size // 3 for _, picture in batch) >= MAX_PIXELS:
            yield from _predict_pictures(classifier, batch, folder, cropped)
            batch = []
    yield from _predict_pictures(classifier, batch, folder, cropped)


def _predict_pictures(
    classifier: Classifier, batch: list[tuple[File, np.ndarray]], folder: Path | None, cropped: bool
) -> Iterator[Result]:
    found = classifier.predict([picture for _, picture in batch], cropped=cropped)
    for (file, picture), faces in zip(batch, found, strict=True):
        if folder:
            with atomic_output(output_path(file, folder)) as path:
                Image.fromarray(annotate(picture, faces)).save(path, "JPEG", quality=QUALITY)
        yield file, _some([Row(number, face) for number, face in enumerate(faces, 1)], file)


def _predict_video(classifier: Classifier, file: File, folder: Path | None) -> list[Row]:
    use_one_thread()
    tracker, rows = Tracker(), []
    with ExitStack() as stack:
        video = stack.enter_context(Video(file.path))
        writer = None
        if folder:
            part = stack.enter_context(atomic_output(output_path(file, folder)))
            writer = stack.enter_context(VideoWriter(part, video.fps))
        bar = progress(video, file.path.name, video.frames or None, leave=False, unit="frame")
        for number, frame in enumerate(bar):
            seconds = number / video.fps
            numbered = tracker(frame, classifier.predict([frame], small=False)[0], seconds)
            rows += [Row(person, face, seconds) for person, face in numbered]
            if writer:
                people = [person for person, _ in numbered]
                writer.write(annotate(frame, [face for _, face in numbered], people))
    return rows


def _some(rows: list[Row], file: File) -> list[Row] | InputError:
    """Return the faces, or, if there is none, what is wrong."""
    return rows or InputError(f"{file.path}: no face found")
