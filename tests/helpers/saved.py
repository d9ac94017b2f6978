"""Models on disk."""

from stages.models.config import HASHES, digest


def config(**changes: object) -> dict:
    """Return what config.json of a small model contains, with these changes."""
    return {
        "architecture": "cnn5",
        "labels": ["anger", "happy"],
        "channels": 1,
        "face_size": 16,
        "inputs": {"size": 16, "mean": [0.5], "std": [0.25], "per_face": False},
        "recipe": {"dropout": 0.3, "strength": 0.5, "test_views": 1},
        "precision": "float32",
        "seed": 0,
        "fold": 0,
        "dataset": None,
        "validation_folds": 1,
        "ranked": False,
        "temperature": 1.5,
        "parameters": 7,
        "drawn_faces": True,
        "seen_test": None,
    } | changes


def signed(**changes: object) -> dict:
    """The same with its hashes, as `save` writes it; weights and `trained_on` are those in `changes`."""
    hashes = {name: changes.pop(name, "") for name in ("weights", "trained_on")}
    content = config(**changes)
    return content | {HASHES: hashes | {"config": digest(content)}}


def recipe(**changes: object) -> dict:
    return config()["recipe"] | changes


def inputs(**changes: object) -> dict:
    return config()["inputs"] | changes
