"""Sections of `params.yaml`: reading, validation, and error messages that name the key and the nearest right value."""

from math import isfinite
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML, YAMLError

from stages.base.errors import InputError
from stages.base.suggestions import suggestion

PATH = Path("params.yaml")


class Section(BaseModel):
    """A mapping of `params.yaml`. Unknown keys, wrong types and values out of range are refused.

    A subclass that stands at the top of the file sets `KEY`, its name there; "" means that its keys stand at the top
    level themselves.
    """

    KEY: ClassVar[str]
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def load(cls, path: Path = PATH) -> Self:
        """Read and validate this section, and no other one.

        Raises:
            InputError: the file is missing or not YAML, or a key of the section is missing, unknown or has a value
                that is not allowed. The message names the key, the value and the nearest right one.
        """
        content = read(path)
        if cls.KEY:
            if cls.KEY not in content:
                raise InputError(f"params.yaml: {cls.KEY}: missing")
            return validate(cls, content[cls.KEY], f"{cls.KEY}.")
        return validate(cls, {key: value for key, value in content.items() if key in cls.model_fields}, "")


Model = TypeVar("Model", bound=Section)


def read(path: Path = PATH) -> dict[str, Any]:
    """Return the content of `params.yaml` without validation.

    Raises:
        InputError: the file is missing, is not YAML, or holds something else than a mapping.
    """
    try:
        content = YAML(typ="safe").load(path)  # YAML 1.2, as DVC reads it: 1e-3 is a number
    except FileNotFoundError:
        raise InputError(f"{path}: not found; run this from the root of the repository") from None
    except YAMLError as error:
        raise InputError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: must be a mapping of keys to values, like the one in the repository")
    return content


def validate(model: type[Model], content: object, prefix: str) -> Model:
    """Return `content` as an instance of `model`; `prefix` goes before the keys in error messages.

    Raises:
        InputError: `content` does not fit; the message is about the first fault.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # A misspelt key is reported as unknown and as missing; the first is the more useful message.
        first = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        raise InputError(f"params.yaml: {_message(model, dict(first), prefix)}") from None


def distinct(values: list) -> list:
    """Return `values`; raise ValueError if one occurs twice."""
    if any(value in values[:position] for position, value in enumerate(values)):
        raise ValueError(f"{values} contains a value twice")
    return values


def number(value: Any) -> int | float:
    """Return `value`; raise ValueError if it is not a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return value


def _message(model: type[Section], fault: dict[str, Any], prefix: str) -> str:
    """Return one line about a fault that pydantic found."""
    path = [str(part) for part in fault["loc"] if part != "[key]"]
    key, value = (prefix + ".".join(path)).rstrip("."), fault["input"]
    match fault["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key (value {value!r}){suggestion(path[-1], _known_keys(model, path[:-1]))}"
        case "missing":
            return f"{key}: missing"
        case "literal_error":
            return f"{key}: {value!r} is unknown{suggestion(value, _options(fault['ctx']['expected']))}"
        case "value_error":
            return f"{key}: {fault['ctx']['error']}"
        case _:
            return f"{key}: {value!r} is not allowed: {fault['msg'][0].lower()}{fault['msg'][1:]}"


def _known_keys(model: type[Section], path: list[str]) -> list[str]:
    """Return the keys of the section that is found by following `path` from `model`."""
    section: Any = model
    for part in path:
        annotation = section.model_fields[part].annotation if part in getattr(section, "model_fields", {}) else section
        section = getattr(annotation, "__args__", (annotation,))[-1]
    return list(section.model_fields)


def _options(expected: str) -> list[str]:
    """Return pydantic's text `'a', 'b' or 'c'` as a list."""
    return [option.strip().strip("'") for option in expected.replace(" or ", ", ").split(",")]
