"""Sections of `params.yaml` and records in files of stages: validation, and messages that name the key.

For `params.yaml`, a message also names the nearest right value.
"""

from math import isfinite
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

from stages.base.errors import InputError, one_line
from stages.base.suggestions import suggestion

PATH = Path("params.yaml")
MAX_BYTES = 2**16  # of the file, and of its text once aliases are replaced by what they stand for
MAX_DEPTH = 50  # of nested collections
MAX_NUMBER = 2**53  # larger integers are not exact as floating-point numbers
MAX_MESSAGE, MAX_QUOTED = 300, 80  # characters

# Names of models: parts of paths and of commands that DVC gives to a shell.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]


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
        if cls.KEY:
            return validate(cls, read(cls.KEY, path=path)[cls.KEY], f"{cls.KEY}.")
        content = read(path=path)
        return validate(cls, {key: value for key, value in content.items() if key in cls.model_fields}, "")


class Record(BaseModel):
    """An object in a JSON file that a stage wrote, as far as other stages read it; further keys are allowed."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


Model = TypeVar("Model", bound=BaseModel)


def read(*keys: str, path: Path = PATH) -> dict[str, Any]:
    """Return the values of keys of `params.yaml`, or its whole content if none is named, without validation.

    Raises:
        InputError: the file is missing, is not YAML, holds something else than a mapping, lacks a key, or is larger,
            deeper nested or has larger integers than any params.yaml.
    """
    try:
        with path.open("rb") as file:
            written = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{path}: not found; run this from the root of the repository") from None
    if len(written) > MAX_BYTES:
        raise InputError(f"{path}: is larger than {MAX_BYTES} bytes; write only the keys of the one in the repository")
    try:
        text = written.decode("utf-8-sig")
        _check_size(text)
        content = YAML(typ="safe").load(text)  # YAML 1.2, as DVC reads it: 1e-3 is a number
        _check_numbers(content)
    except Exception as error:  # the parser raises what it happens to meet, such as ValueError for !!int abc
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(shortened(f"{path}: not readable as YAML: {reason}")) from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: must be a mapping of keys to values, like the one in the repository")
    if missing := [key for key in keys if key not in content]:
        raise InputError(f"{path}: {missing[0]}: missing")
    return {key: content[key] for key in keys} if keys else content


def validate(model: type[Model], content: object, prefix: str, file: object = PATH) -> Model:
    """Return `content` as an instance of `model`; `prefix` goes before the keys in error messages.

    Raises:
        InputError: `content` does not fit; the message is about the first fault, and names `file`.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # A misspelt key is reported as unknown and as missing; the first is the more useful message.
        first = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        raise InputError(shortened(f"{file}: {_message(model, dict(first), prefix)}")) from None


def distinct(values: list) -> list:
    """Return `values`; raise ValueError if one occurs twice."""
    if any(value in values[:position] for position, value in enumerate(values)):
        raise ValueError(f"{quoted(values)} contains a value twice")
    return values


def number(value: Any) -> int | float:
    """Return `value`; raise ValueError if it is not a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{quoted(value)} is not a number")
    return value


def quoted(value: object) -> str:
    """Return a value as Python writes it, shortened in the middle if it is long."""
    text = repr(value)
    half = MAX_QUOTED // 2
    return text if len(text) <= MAX_QUOTED else f"{text[:half]}…{text[-half:]}"


def shortened(message: str) -> str:
    """Return a message as one line of at most MAX_MESSAGE characters."""
    message = one_line(message)
    return message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - 1]}…"


def _check_size(text: str) -> None:
    """Raise ValueError if a YAML text is too large or too deeply nested to be loaded.

    Only the events of the parser are read, one at a time, so that neither nesting nor aliases of aliases can exhaust
    the stack or the memory.
    """
    sizes, anchors = [0], {}  # characters of the collections that are open, from the outermost; and of what is named
    starts: list[str | None] = []  # the anchors of these collections
    for event in YAML(typ="safe").parse(text):
        if isinstance(event, CollectionStartEvent):
            sizes.append(0)
            starts.append(event.anchor)
            size = 1
        elif isinstance(event, CollectionEndEvent):
            size, anchor = sizes.pop(), starts.pop()
            anchors[anchor] = size
        elif isinstance(event, AliasEvent):
            if event.anchor in starts:
                raise ValueError(f"the alias {quoted(event.anchor)} stands inside of what it names")
            size = anchors.get(event.anchor, 0)
        elif isinstance(event, ScalarEvent):
            size = len(event.value) + 1
            anchors[event.anchor] = size
        else:
            continue
        sizes[-1] += size
        if len(sizes) > MAX_DEPTH + 1:
            raise ValueError(f"more than {MAX_DEPTH} levels of nesting, at line {event.start_mark.line + 1}")
        if sum(sizes) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES} characters, with aliases replaced by what they stand for")


def _check_numbers(content: object) -> None:
    """Raise ValueError if there is an integer beyond ±MAX_NUMBER."""
    if isinstance(content, dict):
        for key, value in content.items():
            _check_numbers(key)
            _check_numbers(value)
    elif isinstance(content, list):
        for value in content:
            _check_numbers(value)
    elif isinstance(content, int) and abs(content) > MAX_NUMBER:
        raise ValueError(f"the number {quoted(content)} is too large")


def _message(model: type[BaseModel], fault: dict[str, Any], prefix: str) -> str:
    """Return one line about a fault that pydantic found."""
    path = [str(part) for part in fault["loc"] if part != "[key]"]
    key, value = (prefix + ".".join(path)).rstrip("."), fault["input"]
    match fault["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key (value {quoted(value)}){suggestion(path[-1], _known_keys(model, path[:-1]))}"
        case "missing":
            return f"{key}: missing"
        case "literal_error":
            return f"{key}: {quoted(value)} is unknown{suggestion(value, _options(fault['ctx']['expected']))}"
        case "value_error":
            return f"{key}: {fault['ctx']['error']}"
        case _:
            return f"{key}: {quoted(value)} is not allowed: {fault['msg'][0].lower()}{fault['msg'][1:]}"


def _known_keys(model: type[BaseModel], path: list[str]) -> list[str]:
    """Return the keys of the section that is found by following `path` from `model`."""
    section: Any = model
    for part in path:
        annotation = section.model_fields[part].annotation if part in getattr(section, "model_fields", {}) else section
        section = getattr(annotation, "__args__", (annotation,))[-1]
    return list(section.model_fields)


def _options(expected: str) -> list[str]:
    """Return pydantic's text `'a', 'b' or 'c'` as a list."""
    return [option.strip().strip("'") for option in expected.replace(" or ", ", ").split(",")]
