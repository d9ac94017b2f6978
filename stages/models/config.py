"""What `config.json` of a saved model must contain, so that a damaged, edited or foreign one is recognised."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from stages.base.errors import InputError
from stages.base.files import read_json
from stages.base.section import Record, distinct

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=100)]
HASHES = "sha256"  # the key of the hashes in config.json


class _Inputs(Record):
    size: Annotated[int, Field(ge=16, le=512)]
    mean: list[Finite]
    std: list[Positive]
    per_face: bool


class _Recipe(Record):
    dropout: Annotated[float, Field(ge=0, lt=1)] | None
    strength: Annotated[float, Field(ge=0, le=3)]
    test_views: Literal[1, 2, 10]


class _Hashes(Record):
    weights: str
    config: str
    trained_on: str | None = None


class Config(Record):
    """The part of `config.json` that stages read; other keys are records for people."""

    architecture: Text
    labels: Annotated[list[Text], Field(min_length=1, max_length=100)]
    channels: Literal[1, 3]
    face_size: Annotated[int, Field(ge=1, le=4096)]  # of the stored faces, which `inputs` resizes
    inputs: _Inputs
    recipe: _Recipe
    precision: Literal["float32", "bfloat16", "float16"]
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    fold: Annotated[int, Field(ge=0)]
    dataset: Text | None
    validation_folds: Annotated[int, Field(ge=1)]
    ranked: bool
    seen_test: dict[str, Any] | None
    seen_validation: dict[str, Any] | None = None  # not recorded by earlier versions
    temperature: Positive  # divides the logits, so that probabilities are calibrated
    parameters: Annotated[int, Field(ge=0)]
    drawn_faces: bool
    sha256: _Hashes

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        distinct(self.labels)
        if not len(self.inputs.mean) == len(self.inputs.std) == self.channels:
            raise ValueError(f"inputs: mean and std must have one value for each of {self.channels} channels")
        return self


def read_config(path: Path) -> dict[str, Any]:
    """Return the content of the `config.json` of a saved model.

    Raises:
        InputError: it is missing or damaged, or was changed after it was written.
    """
    config = read_json(path, Config)
    if digest(config) != config[HASHES]["config"]:
        raise InputError(f"{path}: was changed after it was written; run the stage that writes it again")
    return config


def digest(config: dict[str, Any]) -> str:
    """Return the SHA-256 of a config without its hashes; it does not depend on the order of the keys."""
    content = {key: value for key, value in config.items() if key != HASHES}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
