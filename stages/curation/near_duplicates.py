"""Near-duplicates: the same picture cropped, scaled, marked or compressed another way, or the next frame of a film."""

import numpy as np
from scipy.fft import dct
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from tqdm import tqdm

BLOCK = 1024
# Everything here is sums of whole numbers in float64, exact below 2**53, so every machine finds the same pairs.


def contrast(faces: np.ndarray) -> np.ndarray:
    """Standard deviation of each face's grey levels (0 to 127.5), N, float64. `faces`: uint8, N×H×W or N×H×W×3."""
    spread = np.concatenate([_spread(_rows(faces[at : at + BLOCK])) for at in range(0, len(faces), BLOCK)])
    return spread / faces[0].size


def perceptual_hashes(faces: np.ndarray) -> np.ndarray:
    """64 bits a face, N, uint64: which of its 8×8 lowest cosine frequencies lie above their median.

    After the DCT hash of Zauner (Implementation and Benchmarking of Perceptual Image Hash Functions, 2010).
    """
    rows, columns = (np.rint(1024 * dct(np.eye(side), axis=0)[:8]) for side in faces.shape[1:3])
    hashes = []
    for at in range(0, len(faces), BLOCK):
        low = (rows @ _grey(faces[at : at + BLOCK]) @ columns.T).reshape(-1, 64)
        hashes.append(np.packbits(low > np.median(low, axis=1, keepdims=True), axis=1).view(np.uint64))
    return np.concatenate(hashes).ravel()


def near_pairs(faces: np.ndarray, distance: int, correlation: float) -> np.ndarray:
    """Pairs of faces (rows of `faces`), M×2, that show nearly the same picture.

    Their hashes differ in at most `distance` of 64 bits, and their pixels correlate with at least `correlation`
    (Pearson, -1 to 1). Every face is compared with every other: 64 bits at a time, so 50,000 faces take seconds.
    """
    hashes = perceptual_hashes(faces)
    pairs = []
    for start in tqdm(range(0, len(hashes), BLOCK), "near-duplicates", disable=None):
        block = hashes[start : start + BLOCK]
        near = np.bitwise_count(block[:, None] ^ hashes[None, start:]) <= distance
        first, second = np.nonzero(near)
        first, second = first[second > first], second[second > first]
        for at in range(0, len(first), BLOCK):
            a, b = first[at : at + BLOCK] + start, second[at : at + BLOCK] + start
            pairs.append(np.stack([a, b], axis=1)[_correlation(faces[a], faces[b]) >= correlation])
    return np.concatenate(pairs) if pairs else np.empty((0, 2), dtype=np.int64)


def components(count: int, pairs: np.ndarray) -> np.ndarray:
    """Which connected component each of `count` things belongs to, given linked pairs M×2; N, int."""
    links = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return connected_components(links, directed=False)[1]


def _grey(faces: np.ndarray) -> np.ndarray:
    """The sum of the channels, N×H×W: whole numbers."""
    return faces.astype(np.float64) if faces.ndim == 3 else faces.sum(axis=3, dtype=np.float64)


def _rows(faces: np.ndarray) -> np.ndarray:
    return _grey(faces).reshape(len(faces), -1)


def _spread(rows: np.ndarray) -> np.ndarray:
    """The standard deviation of each row times its length."""
    return np.sqrt(rows.shape[1] * (rows * rows).sum(axis=1) - rows.sum(axis=1) ** 2)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = _rows(a), _rows(b)
    covariance = a.shape[1] * (a * b).sum(axis=1) - a.sum(axis=1) * b.sum(axis=1)
    return covariance / np.maximum(_spread(a) * _spread(b), 1)
