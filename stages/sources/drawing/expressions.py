"""Facial action units of each emotion, and how a person shows them.

The units are those of the Facial Action Coding System (Ekman & Friesen, 1978), their combinations the prototypes
of EMFACS (Friesen & Ekman, 1983). Suffix R: the right side of the face only.
"""

from collections import defaultdict

import numpy as np

PROTOTYPES = {
    "anger": {"4": 1, "5": 0.6, "7": 0.9, "23": 1},
    "contempt": {"12R": 0.6, "14R": 1},
    "disgust": {"9": 1, "10": 0.8, "15": 0.5, "17": 0.7},
    "fear": {"1": 1, "2": 0.6, "4": 0.7, "5": 1, "20": 1, "26": 0.6},
    "happy": {"6": 0.8, "12": 1},
    "neutral": {},
    "sadness": {"1": 1, "4": 0.7, "15": 1},
    "surprise": {"1": 1, "2": 1, "5": 0.8, "26": 1},
}

# What some faces add: how often, and how strongly. Lips part, brows join in, a jaw drops further.
VARIANTS = {
    "anger": {"25": (0.3, 0.7), "9": (0.2, 0.5), "17": (0.3, 0.6)},
    "contempt": {},
    "disgust": {"4": (0.5, 0.7), "7": (0.5, 0.7), "25": (0.3, 0.7), "6": (0.3, 0.5)},
    "fear": {"25": (0.6, 0.8), "7": (0.2, 0.4)},
    "happy": {"25": (0.7, 0.9), "26": (0.2, 0.5), "5": (0.1, 0.4)},
    "neutral": {"25": (0.15, 0.4), "26": (0.1, 0.3)},
    "sadness": {"17": (0.4, 0.8), "7": (0.3, 0.5), "25": (0.15, 0.4)},
    "surprise": {"27": (0.6, 0.9), "25": (0.6, 0.6), "12": (0.1, 0.4)},
}

# What moves a little in any face, whatever it feels.
STRAY = ("1", "2", "4", "5", "7", "12", "15", "17", "23", "25")


def action_units(emotion: str, strength: float, rng: np.random.Generator) -> dict[str, float]:
    """How strongly (about 0..1.2) each action unit moves when someone shows `emotion` with `strength` (0..1).

    No two showings are alike: each unit of the prototype varies and is sometimes missing, some variants come in, and
    other units stray in.
    """
    units = defaultdict(float)
    for unit, weight in PROTOTYPES[emotion].items():
        if rng.random() < 0.95:
            units[unit] += weight * strength * rng.uniform(0.75, 1.2)
    for unit, (chance, weight) in VARIANTS[emotion].items():
        if rng.random() < chance:
            units[unit] += weight * strength * rng.uniform(0.75, 1.2)
    for unit in STRAY:
        units[unit] += max(rng.uniform(-0.6, 0.15), 0.0)
    return dict(units)
