"""Augmented copies that make the classes equally frequent; each copy stays in the fold of its parent."""

import cv2
import numpy as np
import pandas as pd

# The largest changes at strength 1.
ROTATION = 15  # degrees
SCALE = 0.1  # share of the size
SHIFT = 0.08  # share of the side
SHEAR = 0.1  # share of the height
CONTRAST = 0.2  # share of the contrast
BRIGHTNESS = 20  # grey levels


def plan_copies(index: pd.DataFrame, balance: float, seed: int) -> pd.DataFrame:
    """List the copies that balance the classes of the training pool.

    Within each fold, every class grows towards the size of the largest class, so that the pool is balanced whichever
    fold is left out of it. The faces of a class are copied in turn, in random order.

    Args:
        index: the training pool, with the columns id, dataset, label and fold.
        balance: 0 (no copies) to 1 (every class becomes as large as the largest).
        seed: seed of the order.

    Returns:
        One row per copy: id (its row in the array of copies), parent (an id of `index`), dataset, label, fold.
    """
    rng = np.random.default_rng(seed)
    chosen = []
    for _, fold in index.groupby("fold"):
        largest = fold["label"].value_counts().max()
        for _, faces in fold.groupby("label"):
            missing = round(balance * (largest - len(faces)))
            chosen.append(np.resize(rng.permutation(faces.index), missing))
    copies = index.loc[np.concatenate(chosen).astype(np.int64), ["id", "dataset", "label", "fold"]]
    copies = copies.rename(columns={"id": "parent"}).reset_index(drop=True)
    copies.insert(0, "id", copies.index)
    return copies


def augment_face(face: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Rotate, scale, shear, shift and perhaps mirror a face, and change its contrast and brightness.

    Args:
        face: uint8, H×W or H×W×3.
        rng: source of the random amounts, which are uniform between ± `strength` times the constants of this module.
        strength: 0 returns the face unchanged.

    Returns:
        uint8, the same shape as `face`.
    """
    height, width = face.shape[:2]
    angle, scale, shift_x, shift_y, shear, contrast, brightness = rng.uniform(-strength, strength, 7)
    mirrored = strength > 0 and rng.random() < 0.5
    turn = np.deg2rad(ROTATION * angle)
    linear = (1 + SCALE * scale) * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = linear @ [[-1 if mirrored else 1, SHEAR * shear], [0, 1]]
    centre = np.array([width - 1, height - 1]) / 2
    shift = centre - linear @ centre + SHIFT * np.array([width * shift_x, height * shift_y])
    matrix = np.column_stack([linear, shift])
    moved = cv2.warpAffine(face, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    lit = (moved - 127.5) * (1 + CONTRAST * contrast) + 127.5 + BRIGHTNESS * brightness
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)
