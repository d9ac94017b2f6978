"""What an exported model says about itself."""

import json
from pathlib import Path
from typing import NamedTuple

import onnxruntime

from stages.base.errors import InputError


class Facts(NamedTuple):
    """The metadata of an exported model, as `metadata.metadata` describes them."""

    labels: list[str]
    face_size: int
    channels: int
    data: dict[str, dict]
    terms: str


def read_facts(model: Path) -> Facts:
    """Return the metadata of an exported model.

    Raises:
        InputError: it is none that the stage export has written.
    """
    try:
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        known = session.get_modelmeta().custom_metadata_map
        labels, face_size, channels, data = (json.loads(known[key]) for key in Facts._fields[:4])
        return Facts(labels, face_size, channels, data, known["terms"])
    except Exception:  # ONNX Runtime raises a dozen kinds
        raise InputError(f"{model}: no exported model; run `dvc repro stages/publishing/dvc.yaml`") from None
