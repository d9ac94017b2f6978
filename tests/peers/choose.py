"""Write labelled pictures of JAFFE and SFEW for `pictures.py`, as the data sets distribute them.

    python tests/peers/choose.py --jaffe jaffe.zip --sfew sfew.zip [--all] OUT

Ten of each data set: the i-th group (JAFFE: woman; SFEW: film of its Val part), in alphabetical order, gives its first
picture, in alphabetical order, of label i, starting again after the last label. A film without a picture of the label
whose turn it is, is left out. With --all, each picture of JAFFE and of SFEW's Val part. The pictures become
OUT/<data set>/<label>/<picture>.ppm, a format that can be read without a library.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from stages.archives.archive import Archive
from stages.base.errors import guard
from stages.datasets.labels import LABELS
from stages.datasets.picture import Picture
from stages.datasets.readers import READERS
from stages.params.data import Data

PICTURES = 10
SHARED = LABELS[:7]  # contempt is in neither data set, and few tools know it


def choose(pictures: Sequence[Picture]) -> list[Picture]:
    """Return a picture of each of the first groups, with the labels in turn."""
    groups: dict[str, list[Picture]] = {}
    for picture in sorted(pictures, key=lambda picture: picture.file):
        groups.setdefault(picture.subject or picture.sequence, []).append(picture)
    chosen: list[Picture] = []
    for group in sorted(groups):
        label = SHARED[len(chosen) % len(SHARED)]
        chosen += [picture for picture in groups[group] if picture.label == label][:1]
    return chosen[:PICTURES]


def main() -> None:
    parser = argparse.ArgumentParser("python tests/peers/choose.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jaffe", type=Path, required=True, metavar="ARCHIVE")
    parser.add_argument("--sfew", type=Path, required=True, metavar="ARCHIVE")
    parser.add_argument("--all", action="store_true", help="write all pictures")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    for dataset in ("jaffe", "sfew"):
        items = READERS[dataset].read(Archive(getattr(options, dataset), limits=Data.load().limits))
        pictures = [item for item in items if isinstance(item, Picture) and item.official != "train"]
        for picture in pictures if options.all else choose(pictures):
            folder = options.out / dataset / picture.label
            folder.mkdir(parents=True, exist_ok=True)
            Image.open(io.BytesIO(picture.content)).convert("RGB").save(folder / f"{Path(picture.file).stem}.ppm")


if __name__ == "__main__":
    guard(main)
