"""Facial action units of each emotion, with random variation.

The units are those of the Facial Action Coding System (Ekman and Friesen, 1978), and their combinations are the
prototypes of EMFACS (Friesen and Ekman, 1983). The suffix R means the right side of the face only.
"""

from collections import defaultdict

import numpy as np

# emotion → unit → intensity
PROTOTYPES: dict[str, dict[str, float]] = {
    "anger": {"4": 1, "5": 0.6, "7": 0.9, "23": 1},
    "contempt": {"12R": 0.6, "14R": 1},
    "disgust": {"9": 1, "10": 0.8, "15": 0.5, "17": 0.7},
    "fear": {"1": 1, "2": 0.6, "4": 0.7, "5": 1, "20": 1, "26": 0.6},
    "happy": {"6": 0.8, "12": 1},
    "neutral": {},
    "sadness": {"1": 1, "4": 0.7, "15": 1},
    "surprise": {"1": 1, "2": 1, "5": 0.8, "26": 1},
}

# Additional units of some faces: emotion → unit → (probability, intensity)
VARIANTS: dict[str, dict[str, tuple[float, float]]] = {
    "anger": {"25": (0.3, 0.7), "9": (0.2, 0.5), "17": (0.3, 0.6)},
    "contempt": {},
    "disgust": {"4": (0.5, 0.7), "7": (0.5, 0.7), "25": (0.3, 0.7), "6": (0.3, 0.5)},
    "fear": {"25": (0.6, 0.8), "7": (0.2, 0.4)},
    "happy": {"25": (0.7, 0.9), "26": (0.2, 0.5), "5": (0.1, 0.4)},
    "neutral": {"25": (0.15, 0.4), "26": (0.1, 0.3)},
    "sadness": {"17": (0.4, 0.8), "7": (0.3, 0.5), "25": (0.15, 0.4)},
    "surprise": {"27": (0.6, 0.9), "25": (0.6, 0.6), "12": (0.1, 0.4)},
}

# Units that can move slightly with any emotion
COMMON_UNITS = ("1", "2", "4", "5", "7", "12", "15", "17", "23", "25")


def random_action_units(emotion: str, strength: float, rng: np.random.Generator) -> dict[str, float]:
    """Return the intensity of each action unit (about 0 to 1.2) in one expression of an emotion.

    The units of the prototype vary in intensity and are missing with a probability of 0.05. Variants and common units
    are added at random.

    Args:
        emotion: a key of `PROTOTYPES`.
        strength: strength of the expression, 0..1.
        rng: source of the variation.
    """
    units: defaultdict[str, float] = defaultdict(float)
    for unit, weight in PROTOTYPES[emotion].items():
        if rng.random() < 0.95:
            units[unit] += weight * strength * rng.uniform(0.75, 1.2)
    for unit, (probability, weight) in VARIANTS[emotion].items():
        if rng.random() < probability:
            units[unit] += weight * strength * rng.uniform(0.75, 1.2)
    for unit in COMMON_UNITS:
        units[unit] += max(rng.uniform(-0.6, 0.15), 0.0)
    return dict(units)
