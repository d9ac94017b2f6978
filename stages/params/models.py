"""Section `models`: what each model changes of the recipe in `train`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.base.errors import InputError
from stages.base.section import PATH, quoted, read, shortened, validate
from stages.base.suggestions import suggestion
from stages.params.train import Train

Overrides = Mapping[str, dict[str, Any]]


class Recipe(Train):
    """A training recipe whose architecture is known."""

    arch: str


def load_recipe(model: str, path: Path = PATH) -> Recipe:
    """Return the recipe of a model: `train`, with the changes under `models.<model>`.

    Where neither section names an architecture, the model's name is that of its architecture.

    Raises:
        InputError: the model or one of its keys is unknown, or a value is not allowed.
    """
    models = read(path=path).get("models")
    return recipe(model, Train.load(path), models if isinstance(models, dict) else {})


def recipe(model: str, train: Train, models: Overrides) -> Recipe:
    """Return `train` with the changes that `models` names for a model; errors are those of `load_recipe`."""
    if model not in models:
        hint = suggestion(model, models)
        raise InputError(shortened(f"params.yaml: model: {quoted(model)} is not one of `models`{hint}"))
    if not isinstance(models[model], dict):
        raise InputError(f"params.yaml: models.{model}: must be a mapping of keys of `train`, or {{}}")
    values = {**train.model_dump(), **models[model]}
    if values["arch"] is None:
        values["arch"] = model
    return validate(Recipe, values, f"models.{model}.")
