"""Time a tool on labelled pictures and compare the expressions that it finds with the labels. For Linux.

    python tests/peers/pictures.py TOOL PICTURES [--model FOLDER]

PICTURES has a folder for each label, with pictures as PPM (see `choose.py`). Each TOOL has an environment of its own,
in which nothing else is installed:

    this-project      pip install -r requirements.txt; --model is a model of this project
    fer, fer-mtcnn    pip install fer==25.10.3 "setuptools<81"
    facial-emotion    pip install facial-emotion-recognition==0.3.4
    face-api          npm install @vladmandic/face-api@1.7.15 @tensorflow/tfjs@4.22.0
                          @tensorflow/tfjs-backend-wasm@4.22.0
    human             npm install @vladmandic/human@3.3.6 @tensorflow/tfjs-core@4.22.0
                          @tensorflow/tfjs-converter@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0

Start this script with the environment's Python, or, for the tools of npm, in the folder that has node_modules. It
prints a row of a table: CPU seconds a picture (median, on one core, from pixels to expressions; loading and one
picture before are not counted), in how many pictures the tool finds a face, in how many exactly one, in how many the
largest face has the picture's label, and the size of the installed packages.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from stages.base.errors import InputError, guard
from stages.datasets.labels import find_label

ROOT = Path(__file__).parents[2]
WITH_PYTHON = ("pip", "setuptools", "pkg_resources", "_distutils_hack")  # not counted: each environment has them

Find = Callable[[Any], list[str]]  # RGB pixels, uint8, H×W×3 → the faces' expressions, the largest face first


class Answer(NamedTuple):
    """What a tool finds in a picture: CPU seconds, and the faces' expressions, the largest face first."""

    seconds: float
    labels: list[str]


def this_project(model: str) -> Find:
    from stages.prediction.classifier import Classifier

    classifier = Classifier.load(model)
    return lambda pixels: [face.label for face in classifier(pixels)]


def fer(mtcnn: bool) -> Find:
    from fer.fer import FER

    detector = FER(mtcnn=mtcnn)

    def find(pixels: Any) -> list[str]:
        faces = detector.detect_emotions(pixels[..., ::-1].copy())  # BGR
        faces.sort(key=lambda face: -face["box"][2] * face["box"][3])
        return [max(face["emotions"], key=face["emotions"].get) for face in faces]

    return find


def facial_emotion() -> Find:
    import cv2
    import torch
    from facial_emotion_recognition import EmotionRecognition

    torch.load = partial(torch.load, map_location="cpu")  # its weights were saved on a GPU and load on no other device
    tool = EmotionRecognition("cpu")

    def find(pixels: Any) -> list[str]:  # its recognise_emotion draws the expressions and does not return them
        frame = pixels[..., ::-1].copy()  # BGR
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        boxes, _ = tool.mtcnn.detect(frame)
        corners = [[max(round(edge), 0) for edge in box] for box in ([] if boxes is None else boxes)]
        corners.sort(key=lambda box: -(box[2] - box[0]) * (box[3] - box[1]))
        return [tool._predict(grey[top:bottom, left:right]) for left, top, right, bottom in corners]

    return find


TOOLS: dict[str, Callable[[str], Find]] = {
    "this-project": this_project,
    "fer": lambda _: fer(mtcnn=False),
    "fer-mtcnn": lambda _: fer(mtcnn=True),
    "facial-emotion": lambda _: facial_emotion(),
}
TOOLS_OF_NPM = ("face-api", "human")


def read(file: Path) -> Any:
    """Return the pixels of a PPM file, uint8, H×W×3, RGB."""
    import numpy as np

    content = file.read_bytes()
    header = re.match(rb"P6\s(\d+)\s(\d+)\s255\s", content)
    if not header:
        raise InputError(f"{file}: not a picture as choose.py writes it")
    return np.frombuffer(content, np.uint8, offset=header.end()).reshape(int(header[2]), int(header[1]), 3)


def ask(find: Find, files: Sequence[Path]) -> list[Answer]:
    """Return a Python tool's answers for pictures."""
    answers = []
    for file in [files[0], *files]:
        pixels = read(file)
        start = time.process_time()
        labels = find(pixels)
        answers.append(Answer(time.process_time() - start, labels))
    return answers[1:]


def ask_node(tool: str, files: Sequence[Path]) -> list[Answer]:
    """Return the answers of a tool of npm."""
    command = ["node", Path(__file__).with_suffix(".cjs"), tool, *files]
    try:
        answers = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    except (FileNotFoundError, subprocess.CalledProcessError, json.JSONDecodeError):
        raise InputError(f"{tool}: does not run; install Node, and {tool} in this folder, as in {__file__}") from None
    return [Answer(answer["seconds"], answer["labels"]) for answer in answers]


def megabytes(folder: Path) -> float:
    """Return the size of the files in a folder, without what each environment of Python has."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    counted = (path for path in files if not path.relative_to(folder).parts[0].startswith(WITH_PYTHON))
    return sum(path.stat().st_size for path in counted) / 1e6


def row(tool: str, answers: Sequence[Answer], labels: Sequence[str], size: float) -> str:
    """Return the row of the table.

    Args:
        tool: its name.
        answers: for each picture.
        labels: the label of each picture, in this project's terms.
        size: MB.
    """
    seconds = statistics.median(answer.seconds for answer in answers)
    faces = [len(answer.labels) for answer in answers]
    agree = sum(
        bool(answer.labels) and find_label(answer.labels[0]) == label
        for answer, label in zip(answers, labels, strict=True)
    )
    found, single = sum(map(bool, faces)), faces.count(1)
    return f"| {tool} | {seconds:.3f} | {found} | {single} | {agree} of {len(labels)} | {size:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser("python tests/peers/pictures.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tool", choices=[*TOOLS, *TOOLS_OF_NPM])
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--model", default="data/model", metavar="FOLDER", help="of this project; default: data/model")
    options = parser.parse_args()
    files = sorted(options.pictures.glob("*/*.ppm"))
    if not files:
        raise InputError(f"{options.pictures}: no <label>/<picture>.ppm; write them with choose.py")
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    if options.tool in TOOLS_OF_NPM:
        answers, size = ask_node(options.tool, files), megabytes(Path("node_modules"))
    else:
        try:
            answers = ask(TOOLS[options.tool](options.model), files)
        except ModuleNotFoundError as error:
            raise InputError(f"{options.tool}: {error}; install it as in {__file__}") from None
        size = megabytes(Path(sysconfig.get_path("purelib")))
        if options.tool == "this-project":
            size += megabytes(ROOT / "stages") + megabytes(Path(options.model))
    print(row(options.tool, answers, [file.parent.name for file in files], size))


if __name__ == "__main__":
    guard(main)
