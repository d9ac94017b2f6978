"""Near-duplicates: the same image cropped, scaled, marked or compressed differently, or the next frame of a film."""

import numpy as np
from scipy.fft import dct

from stages.base.progress import progress

BLOCK = 1024  # faces in memory at once
TRIMMED = 20  # `contrast` ignores one pixel in 20 at each end
# All sums below are of whole numbers in float64, exact below 2**53, so that every machine finds the same faces.


def contrast(faces: np.ndarray) -> np.ndarray:
    """Compute the contrast of each face: the standard deviation of its grey levels without the extreme pixels.

    The darkest 5 % and the brightest 5 % of the pixels are left out (a trimmed standard deviation). So an image that
    is black except for noise, a light in a corner or a thin line has almost no contrast, while a face in the dark has.

    Args:
        faces: uint8, N×H×W (grey) or N×H×W×3, N at least 1. The grey level of a coloured pixel is its channels' mean.

    Returns:
        float64, N, 0 to 127.5.
    """
    scaled = []
    channels = faces.shape[3] if faces.ndim == 4 else 1
    for start in range(0, len(faces), BLOCK):
        rows = _rows(faces[start : start + BLOCK]).astype(np.uint16)
        rows.sort(axis=1, kind="stable")  # a radix sort for 16 bits, several times faster than the default
        cut = rows.shape[1] // TRIMMED
        rows = rows[:, cut : rows.shape[1] - cut]
        scaled.append(_scaled_deviation(rows.astype(np.float64)) / (rows.shape[1] * channels))
    return np.concatenate(scaled)


def perceptual_hashes(faces: np.ndarray) -> np.ndarray:
    """Compute a hash of 64 bits for each face; similar images have hashes that differ in few bits.

    A bit tells whether one of the 8×8 lowest frequencies of the discrete cosine transform is above their median
    (C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010).

    Args:
        faces: uint8, N×H×W or N×H×W×3.

    Returns:
        uint64, N.
    """
    vertical, horizontal = (np.rint(1024 * dct(np.eye(side), axis=0)[:8]) for side in faces.shape[1:3])
    hashes = []
    for start in range(0, len(faces), BLOCK):
        low = (vertical @ grey(faces[start : start + BLOCK]) @ horizontal.T).reshape(-1, 64)
        hashes.append(np.packbits(low > np.median(low, axis=1, keepdims=True), axis=1).view(np.uint64))
    return np.concatenate(hashes).ravel()


def near_duplicate_pairs(faces: np.ndarray, hashes: np.ndarray, distance: int, correlation: float) -> np.ndarray:
    """Find the pairs of faces that show nearly the same image.

    Every face is compared with every other by its hash of 64 bits, so 50,000 faces take seconds.

    Args:
        faces: uint8, N×H×W or N×H×W×3.
        hashes: uint64, N, from `perceptual_hashes`.
        distance: most bits, of 64, in which the hashes of a pair may differ.
        correlation: least Pearson correlation of a pair's pixels, -1 to 1.

    Returns:
        int64, M×2: two rows of `faces`, the lower one first.
    """
    pairs = []
    for start in progress(range(0, len(hashes), BLOCK), "near-duplicates"):
        block = hashes[start : start + BLOCK]
        near = np.bitwise_count(block[:, None] ^ hashes[None, start:]) <= distance
        first, second = np.nonzero(near)
        first, second = first[second > first], second[second > first]
        for begin in range(0, len(first), BLOCK):
            a, b = first[begin : begin + BLOCK] + start, second[begin : begin + BLOCK] + start
            pairs.append(np.stack([a, b], axis=1)[_correlation(faces[a], faces[b]) >= correlation])
    return np.concatenate(pairs) if pairs else np.empty((0, 2), dtype=np.int64)


def grey(faces: np.ndarray) -> np.ndarray:
    """Return the sum of the channels, whole numbers in float64, N×H×W."""
    return faces.astype(np.float64) if faces.ndim == 3 else faces.sum(axis=3, dtype=np.float64)


def _rows(faces: np.ndarray) -> np.ndarray:
    return grey(faces).reshape(len(faces), -1)


def _scaled_deviation(rows: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each row times the row's length."""
    return np.sqrt(rows.shape[1] * (rows * rows).sum(axis=1) - rows.sum(axis=1) ** 2)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = _rows(a), _rows(b)
    covariance = a.shape[1] * (a * b).sum(axis=1) - a.sum(axis=1) * b.sum(axis=1)
    return covariance / np.maximum(_scaled_deviation(a) * _scaled_deviation(b), 1)
