"""Copies of a face: mirrored, rotated by any angle, shifted by a twentieth, cropped to nine tenths, brighter or darker.

The disc inside a face is described by its lowest circular waves (Fourier-Bessel functions). A rotation by an angle t
multiplies the coefficient of a wave of order m by exp(imt), and a mirror image has the conjugate coefficients. So the
magnitudes of the coefficients are equal for all rotated and mirrored copies (as in Y. Sheng, H. Arsenault, Experiments
on pattern recognition using invariant Fourier-Mellin descriptors, 1986), and comparing them finds the candidates; the
best angle follows from the coefficients themselves. Shifted and cropped copies are found by describing every face also
as it is after each of a few shifts and enlargements.

As in near_duplicates, what decides is computed from whole numbers, so that every machine finds the same pairs.
"""

from functools import cache

import numpy as np
from scipy.special import jnp_zeros, jv

from stages.base.progress import progress
from stages.curation.near_duplicates import grey

BLOCK = 512  # faces compared with as many others at once: the products stay in the processor's cache
PAIRS = 16384  # pairs in memory at once
RADIUS = 22 / 24  # of the disc, in half sides of a face: two pixels of 48 are left to shifts
UNIT = 2000  # length of a vector of coefficients, rounded to whole numbers; products stay below 2**24, exact in float32
ANGLES = 72  # rotations that are tried: every 5°
STEP = 48, 40  # a view is (down, right, scale) in these parts: 1/48 of half a side, and 1/40 of the size
VIEWS = np.array([(y, x, scale) for scale in (40, 44) for y in (-4, 0, 4) for x in (-4, 0, 4)])
FINEST = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
MOVES = (  # least similarity with which a pair is refined further, and the changes of its view that are tried
    (0.7, [(0, 0, 2), (0, 0, -2)]),
    (0.75, [(y, x, 0) for y in (-2, 0, 2) for x in (-2, 0, 2) if y or x]),
    (0.88, FINEST),
    (0.92, FINEST),
)
COARSE, FINE = 15, 20  # highest frequency of the waves, in radians per radius
LEAST_MAGNITUDES, LEAST_COARSE = 0.75, 0.87  # of a candidate: 97 to 100 % of the copies of real faces have more
LEAST = 0.97  # similarity of a pair after the best alignment: faces of different people reach up to .96


def transformed_pairs(faces: np.ndarray) -> np.ndarray:
    """Find the pairs of faces of which one is the other mirrored, rotated, shifted, cropped, brighter or darker.

    Every face is compared with every other, so the time grows with the square of their number: 50,000 take two minutes.

    Args:
        faces: uint8, N×H×W or N×H×W×3.

    Returns:
        int64, M×2: two rows of `faces`, the lower one first. Identical faces and other near-duplicates are among them.
    """
    candidates = _candidates(faces)
    found = [np.empty((0, 2), dtype=np.int64)]
    for start in progress(range(0, len(candidates), PAIRS), "alignment"):
        rows = candidates[start : start + PAIRS]
        found.append(rows[_aligned(faces, rows) >= LEAST, :2])
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def _candidates(faces: np.ndarray) -> np.ndarray:
    """Return rows (a, b, down, right, scale): each pair once, with the view of a that is most similar to b."""
    still = _coefficients(faces, COARSE, (0, 0, 40))
    magnitudes = _magnitudes(still)
    rows, similarities = [np.empty((0, 5), dtype=np.int64)], [np.empty(0)]
    for view in progress(VIEWS, "transformed copies"):
        moved = _coefficients(faces, COARSE, view)
        pairs = _alike(_magnitudes(moved), magnitudes, both_orders=view[2] != 40)
        for start in range(0, len(pairs), PAIRS):
            part = pairs[start : start + PAIRS]
            similarity = _similarity(moved[part[:, 0]], still[part[:, 1]], COARSE)
            kept = similarity >= LEAST_COARSE
            rows.append(np.hstack([part[kept], np.tile(view, (kept.sum(), 1))]))
            similarities.append(similarity[kept])
    every = np.concatenate(rows)
    every = every[np.argsort(-np.concatenate(similarities), kind="stable")]
    best = every[np.unique(np.sort(every[:, :2], axis=1), axis=0, return_index=True)[1]]
    return best[np.lexsort(best[:, 2:].T)]  # equal views together, because each view needs its own waves


def _alike(a: np.ndarray, b: np.ndarray, both_orders: bool) -> np.ndarray:
    """Return the pairs (row of a, another row of b) with similar magnitudes; int64, M×2, if not both orders a < b."""
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for i in range(0, len(a), BLOCK):
        for j in range(0 if both_orders else i, len(b), BLOCK):
            product = a[i : i + BLOCK] @ b[j : j + BLOCK].T
            first, second = np.divmod(np.flatnonzero(product >= LEAST_MAGNITUDES * UNIT**2), product.shape[1])
            kept = first + i != second + j if both_orders else first + i < second + j
            pairs.append(np.stack([first[kept] + i, second[kept] + j], axis=1))
    return np.concatenate(pairs)


def _aligned(faces: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the similarity of each pair after the view has been refined; 0 to 1."""
    still = _coefficients(faces[rows[:, 1]], FINE, (0, 0, 40))

    def similarity(chosen: np.ndarray, views: np.ndarray) -> np.ndarray:
        result = np.zeros(len(chosen))
        distinct, which = np.unique(views, axis=0, return_inverse=True)
        for number, view in enumerate(distinct):
            here = chosen[which.ravel() == number]
            moved = _coefficients(faces[rows[here, 0]], FINE, view)
            result[which.ravel() == number] = _similarity(moved, still[here], FINE)
        return result

    views = rows[:, 2:].copy()
    best = similarity(np.arange(len(rows)), views)
    for least, moves in MOVES:
        chosen = np.flatnonzero(best >= least)
        start = views[chosen]
        for move in moves:
            now = similarity(chosen, start + move)
            better = now > best[chosen]
            best[chosen[better]], views[chosen[better]] = now[better], (start + move)[better]
    return best


@cache
def _modes(highest: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the order of each wave, int, K, and its radial part at 1025 radii from 0 to 1, K×1025.

    The waves are the eigenfunctions of the disc of radius 1 without slope at its edge, up to a frequency. They are
    normalised and multiplied by their frequency, which makes the waves of natural pictures about equally strong.
    """
    modes = sorted((float(v), m) for m in range(highest) for v in jnp_zeros(m, highest) if v <= highest)
    radius = np.linspace(0, 1, 1025)
    parts = [
        jv(m, v * radius) * v / (np.sqrt(1 - (m / v) ** 2) * abs(jv(m, v)) * (1 if m else np.sqrt(2))) for v, m in modes
    ]
    return np.array([m for _, m in modes]), np.stack(parts) * (256 / highest)


def _waves(shape: tuple[int, int], highest: int, view: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the waves as a view moves them, whole numbers, 2K×P, and which P of the H×W pixels are in the disc."""
    down, right, scale = view
    y, x = ((np.arange(side) * 2 + 1) / side - 1 for side in shape)
    y, x = np.meshgrid(y * scale / STEP[1] + down / STEP[0], x * scale / STEP[1] + right / STEP[0], indexing="ij")
    radius, angle = np.hypot(x, y).ravel() / RADIUS, np.arctan2(y, x).ravel()
    inside = radius <= 1
    orders, parts = _modes(highest)
    radial = parts[:, np.rint(1024 * radius[inside]).astype(int)]
    phases = np.arange(orders.max() + 1)[:, None] * angle[inside]
    return np.rint(np.concatenate([radial * np.cos(phases)[orders], radial * np.sin(phases)[orders]])), inside


def _coefficients(faces: np.ndarray, highest: int, view: tuple[int, int, int]) -> np.ndarray:
    """Return the real, then the imaginary parts of the faces' coefficients: whole numbers in float32, N×2K."""
    waves, inside = _waves(faces.shape[1:3], highest, view)
    pixels, result = inside.sum(), []
    for start in range(0, len(faces), BLOCK):
        part = grey(faces[start : start + BLOCK]).reshape(-1, inside.size)[:, inside]
        covariance = pixels * (part @ waves.T) - np.outer(part.sum(axis=1), waves.sum(axis=1))
        result.append(_unit(np.rint(covariance / pixels * 16 / pixels)))
    return np.concatenate(result)


def _magnitudes(coefficients: np.ndarray) -> np.ndarray:
    """Return the magnitudes of the coefficients, less their mean, as vectors of equal length: float32, N×K."""
    real, imaginary = np.split(coefficients.astype(np.float64), 2, axis=1)
    sizes = np.rint(16 * np.sqrt(real * real + imaginary * imaginary))
    return _unit(sizes.shape[1] * sizes - sizes.sum(axis=1, keepdims=True))


def _unit(rows: np.ndarray) -> np.ndarray:
    """Return rows of whole numbers, scaled to the length UNIT and rounded, in float32; zeros stay."""
    length = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.rint(rows * (UNIT / np.maximum(length, 1))).astype(np.float32)


def _similarity(a: np.ndarray, b: np.ndarray, highest: int) -> np.ndarray:
    """Return the correlation of the described discs at the best angle, of b or of its mirror image; N, -1 to 1."""
    orders = _modes(highest)[0]
    distinct = np.unique(orders)
    sums = (orders[:, None] == distinct).astype(np.float64)
    turns = np.outer(distinct, np.arange(ANGLES)) * 2 * np.pi / ANGLES
    cosines, sines = np.rint(1000 * np.cos(turns)), np.rint(1000 * np.sin(turns))
    result = [np.empty(0)]
    for start in range(0, len(a), BLOCK):
        sides = (side[start : start + BLOCK].astype(np.float64) for side in (a, b))
        (ar, ai), (br, bi) = (np.split(side, 2, axis=1) for side in sides)
        rr, ii, ri, ir = (product @ sums for product in (ar * br, ai * bi, ar * bi, ai * br))
        straight = ((rr + ii) @ cosines + (ri - ir) @ sines).max(axis=1)
        mirrored = ((rr - ii) @ cosines + (ri + ir) @ sines).max(axis=1)
        result.append(np.maximum(straight, mirrored) / (1000 * UNIT**2))
    return np.concatenate(result)
