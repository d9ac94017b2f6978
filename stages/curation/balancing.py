"""Distorted copies that make the classes equally frequent; each stays in its parent's fold."""

import cv2
import numpy as np
import pandas as pd

ROTATION, SCALE, SHIFT, SHEAR = 15, 0.1, 0.08, 0.1  # degrees, share, share of the side, share: at strength 1
CONTRAST, BRIGHTNESS = 0.2, 20  # share, grey levels


def plan(index: pd.DataFrame, balance: float, seed: int) -> pd.DataFrame:
    """The copies to make, a row each: id, parent (an `id` of the index), dataset, label, fold.

    Within each fold every class grows towards the largest one: not at all with `balance` 0, to its size with 1. So
    the pool is balanced whichever fold is taken out of it. A class's faces take turns, in an order drawn from `seed`.
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


def distort(face: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """The face turned, scaled, shifted, sheared, perhaps mirrored, in other light: uint8, H×W or H×W×3, as it came.

    Angles and shares are drawn evenly from ± the constants above times `strength`; 0 gives the face itself.
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
