"""Speed of the merge stage relative to one thread that only decodes and resizes: `python tests/speed/merge.py ZIP ...`

Each ZIP is named after its data set (rafdb.zip, fer2013.zip). The two are measured alternately, five times each.
"""

import io
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))
from helpers.archives import data
from stages.datasets.reading import read_faces
from stages.datasets.writer import TableWriter

SIZE = 48


def merge(path: Path) -> int:
    """Do the work of the merge stage for one data set, and return the number of faces."""
    with tempfile.TemporaryDirectory() as source, tempfile.TemporaryDirectory() as merged:
        (Path(source) / path.name).symlink_to(path.resolve())
        dataset = path.stem
        with TableWriter(Path(merged), SIZE, 1) as table:
            for item in read_faces(dataset, Path(source), data(size=SIZE)):
                table.append(dataset, item)
            return table.count


def decode(path: Path) -> int:
    """Decode every image, convert it to grey and resize it in a loop; return the number of images."""
    count = 0
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith((".jpg", ".png", ".tiff")):
                image = Image.open(io.BytesIO(archive.read(name))).convert("L")
                np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BICUBIC))
                count += 1
    return count


def faces_per_second(function: Callable[[Path], int], path: Path) -> float:
    start = time.perf_counter()
    return function(path) / (time.perf_counter() - start)


for path in map(Path, sys.argv[1:]):
    pairs = [(faces_per_second(merge, path), faces_per_second(decode, path)) for _ in range(5)]
    ratio = statistics.median(merging / decoding for merging, decoding in pairs)
    merging, decoding = (statistics.median(speeds) for speeds in zip(*pairs, strict=True))
    print(f"{path.stem}: {merging:.0f} faces/s, decoding alone {decoding:.0f} faces/s, ratio {ratio:.2f}")
