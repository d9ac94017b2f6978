"""Face detection by BlazeFace.

Bazarevsky, Kartynnik, Vakunov, Raveendran and Grundmann, "BlazeFace: sub-millisecond neural face detection on mobile
GPUs", CVPR Workshop on Computer Vision for Augmented and Virtual Reality 2019; see blazeface/NOTICE.md.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from PIL import Image

from stages.detection.tiles import Tile, cut, tiles

NETWORK = Path(__file__).parent / "blazeface" / "blazeface.onnx"
MIN_SCORE = 0.6
MAX_OVERLAP = 0.3  # of two faces: the area that both cover, as a share of the smaller one
MAX_SIDE = 2048  # larger pictures are reduced to it
BATCH = 8  # tiles at a time


class Box(NamedTuple):
    """A face that was found, from the forehead to the chin, in pixels of the picture; it can reach over its edges.

    Attributes:
        left, top, right, bottom: its edges.
        score: how sure the detector is, 0.6 to 1.
        roll: by how much the head is tilted, in degrees clockwise.
    """

    left: float
    top: float
    right: float
    bottom: float
    score: float
    roll: float = 0.0


class Detector:
    """Finds faces in pictures.

    Args:
        threads: CPU threads; 0: one for each core.
    """

    def __init__(self, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads would use the cores
        self._session = onnxruntime.InferenceSession(NETWORK, options, providers=["CPUExecutionProvider"])

    def __call__(self, picture: np.ndarray, small: bool = True) -> list[Box]:
        """Return the faces in a picture, the largest first.

        Args:
            picture: uint8, H×W×3, RGB.
            small: whether to look for small faces in a large picture too, which takes longer.
        """
        height, width = picture.shape[:2]
        scale = min(MAX_SIDE / max(height, width), 1)
        if scale < 1:
            size = max(round(width * scale), 1), max(round(height * scale), 1)
            picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
        found = []
        for level in tiles(picture.shape[0], picture.shape[1], small):
            found += [self._search(picture, level[start : start + BATCH]) for start in range(0, len(level), BATCH)]
        kept = _without_repetitions(np.concatenate(found))
        kept[:, :4] /= scale
        boxes = [Box(*row) for row in kept.tolist()]
        return sorted(boxes, key=lambda box: (box.right - box.left) * (box.top - box.bottom))

    def _search(self, picture: np.ndarray, some: list[Tile]) -> np.ndarray:
        """Return the faces in tiles of equal side, N×6, as `Box` describes them."""
        squares = np.stack([cut(picture, tile) for tile in some])
        boxes, eyes, scores = self._session.run(["boxes", "eyes", "scores"], {"pictures": squares})
        at, anchors = np.nonzero(scores > MIN_SCORE)
        x, y, side = np.array(some)[at].T
        places = boxes[at, anchors] * side[:, None] + np.stack([x, y, x, y], 1)
        across, down = (eyes[at, anchors, 2:] - eyes[at, anchors, :2]).T
        return np.column_stack([places, scores[at, anchors], np.degrees(np.arctan2(down, across))])


def _without_repetitions(found: np.ndarray) -> np.ndarray:
    """Return the faces, N×6, without those that overlap with one of a higher score."""
    found = found[np.argsort(-found[:, 4], kind="stable")]
    areas = (found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1])
    kept: list[int] = []
    for number, (left, top, right, bottom) in enumerate(found[:, :4]):
        others = found[kept]
        width = np.minimum(right, others[:, 2]) - np.maximum(left, others[:, 0])
        height = np.minimum(bottom, others[:, 3]) - np.maximum(top, others[:, 1])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        if (shared <= MAX_OVERLAP * np.minimum(areas[number], areas[kept])).all():
            kept.append(number)
    return found[kept]
