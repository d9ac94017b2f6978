"""What an exported file says about its model, as text by key."""

import json
from typing import Any

from stages.models.config import HASHES
from stages.reporting.licence import licence

VERSION = "1"  # of the keys and of what they mean


def metadata(config: dict[str, Any]) -> dict[str, str]:
    """Return the metadata of a model's ONNX files.

    Args:
        config: the content of its `config.json`.

    Returns:
        version: of this list.
        labels: JSON list, in the order of the probabilities.
        face_size: height and width of the stored faces in pixels.
        channels: 1 (grey) or 3 (RGB).
        architecture: the name of the architecture.
        weights_sha256: SHA-256 of the file with the weights.
        data: JSON object; the licence of each data set that the model was trained on, and whether its faces are drawn.
        licence, terms: of the weights: a name, and whole sentences.
    """
    name, terms = licence(config)
    data = {key: {"licence": source["licence"], "drawn": source["drawn"]} for key, source in config["sources"].items()}
    return {
        "version": VERSION,
        "labels": json.dumps(config["labels"]),
        "face_size": str(config["face_size"]),
        "channels": str(config["channels"]),
        "architecture": config["architecture"],
        "weights_sha256": config[HASHES]["weights"],
        "data": json.dumps(data),
        "licence": name,
        "terms": terms,
    }
