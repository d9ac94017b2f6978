"""Find the faces in pictures and videos, and predict their expressions.

    python -m stages.predict PATH ... [--model MODEL] [--json | --csv] [--annotate FOLDER] [--cropped]
    python -m stages.predict --camera 0 [--model MODEL]

A path is a picture, a video or a folder of them. A model is a folder, a git revision or an experiment. It prints a line
for each face of a picture, and for each person of a video; as JSON or CSV, for each face of each frame. `--annotate`
writes the files with boxes and bars. With `--camera` it shows what a camera sees, until q is pressed. Where one file is
wrong, the others are predicted, and the exit code is 1.
"""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from stages.base.errors import InputError, guard
from stages.base.paths import RunPaths
from stages.base.progress import progress
from stages.prediction import webcam
from stages.prediction.batches import predict_files
from stages.prediction.classifier import Classifier
from stages.prediction.files import check_outputs, find_files
from stages.prediction.output import csv_printer, json_printer, table_printer


def main() -> None:
    """Predict what the command line names."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m stages.predict", description=__doc__, formatter_class=raw)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="picture, video or folder")
    parser.add_argument("--model", default=RunPaths.of(None).model, help="default: %(default)s")
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="print JSON")
    formats.add_argument("--csv", action="store_true", help="print CSV")
    parser.add_argument("--annotate", type=Path, metavar="FOLDER", help="write the files with boxes and bars there")
    parser.add_argument("--cropped", action="store_true", help="each picture is a face, cut out as in training")
    parser.add_argument("--camera", metavar="N", help="number of a camera from 0, or a video in its place")
    options = parser.parse_args()
    if bool(options.paths) == (options.camera is not None):
        parser.error("give the paths of pictures and videos, or --camera")
    if options.camera is not None:
        source = int(options.camera) if options.camera.isdigit() else Path(options.camera)
        webcam.run(lambda: Classifier.load(options.model), source)
    elif not predict(options):
        sys.exit(1)


def predict(options: argparse.Namespace) -> bool:
    """Print the faces of all files, and what is wrong with some; return whether all was right."""
    files, remarks = find_files(options.paths)
    for remark in remarks:
        tell(remark)
    right = not any(isinstance(remark, InputError) for remark in remarks)
    if not files:
        return False
    if options.annotate:
        check_outputs(files, options.annotate)
    classifier = Classifier.load(options.model)
    kind = csv_printer if options.csv else json_printer if options.json else table_printer
    with kind(classifier.labels, files) as write, progress(total=len(files), unit="file") as bar:
        for file, rows in predict_files(classifier, files, options.annotate, options.cropped):
            if isinstance(rows, InputError):
                tell(rows)
                right = False
            else:
                with tqdm.external_write_mode():
                    write(file, rows)
            bar.update()
    return right


def tell(remark: str | InputError) -> None:
    """Print a remark, or what is wrong, above the progress bar."""
    tqdm.write(f"ERROR: {remark}" if isinstance(remark, InputError) else remark, file=sys.stderr)


if __name__ == "__main__":
    guard(main)
