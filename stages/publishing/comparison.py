"""Whether an exported network computes what the trained one does."""

from collections.abc import Callable

import numpy as np

from stages.base.errors import InputError
from stages.faces.table import Selection

MAX_DIFFERENCE = 1e-4  # of a probability
BATCH = 64  # faces


def probabilities(predict: Callable[[np.ndarray], np.ndarray], faces: Selection) -> np.ndarray:
    """Return the probabilities of all faces, N×labels, by a function that takes a batch of them."""
    return np.concatenate([predict(faces[start : start + BATCH]) for start in range(0, len(faces), BATCH)])


def parity(expected: np.ndarray, found: np.ndarray) -> dict[str, float]:
    """Return how far the probabilities of an exported network are from those of the trained one.

    Args:
        expected: probabilities by torch in float32, N×labels.
        found: probabilities of the same faces by ONNX Runtime, N×labels.

    Returns:
        `faces`: N; `largest_difference` of a probability; `different_labels`: faces whose most probable label differs.

    Raises:
        InputError: a probability differs by more than MAX_DIFFERENCE, or a label does.
    """
    largest = float(np.abs(expected - found).max())
    different = int((expected.argmax(1) != found.argmax(1)).sum())
    if not largest <= MAX_DIFFERENCE or different:  # a difference can be NaN
        raise InputError(
            f"the exported network differs from the trained one: probabilities by up to {largest:.2g} (allowed: "
            f"{MAX_DIFFERENCE:g}), and {different} of {len(expected)} labels (allowed: 0); nothing is written. Try "
            "other versions of torch and onnxruntime, those of requirements.txt"
        )
    return {"faces": len(expected), "largest_difference": largest, "different_labels": different}
