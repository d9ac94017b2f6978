"""The typed schema of `params.yaml`: unknown keys, wrong types and impossible values are refused by name."""

from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML, YAMLError

from stages.base.errors import InputError

Dataset = Literal["ck48", "jaffe", "sfew", "fer2013", "rafdb"]
Label = Literal["anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral", "contempt"]


def _distinct(values: list) -> list:
    if any(value in values[:place] for place, value in enumerate(values)):
        raise ValueError(f"{values} names one twice")
    return values


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return value


def _launcher(value: str) -> str:
    if value.split()[:1] not in (["python"], ["torchrun"]):
        raise ValueError(f"{value!r} is neither python nor torchrun with its options")
    return value


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Data(Section):
    source: Literal["demo", "local", "kaggle"]
    datasets: Annotated[list[Dataset], Field(min_length=1), AfterValidator(_distinct)]
    labels: Annotated[list[Label], Field(min_length=2), AfterValidator(_distinct)]
    size: Annotated[int, Field(ge=16, le=512)]
    channels: Literal[1, 3]


class Demo(Section):
    faces: Annotated[int, Field(ge=60, le=1_000_000)]
    layout: Literal["csv", "folders"] = "csv"


class Local(Section):
    path: str | None
    sha256: str | None = None


class Kaggle(Section):
    dataset: str | None = None
    competition: str | None = None
    version: int | None = None
    file: str | None = None


class Sources(Section):
    demo: dict[Dataset, Demo]
    local: dict[Dataset, Local]
    kaggle: dict[Dataset, Kaggle]


class Clean(Section):
    min_contrast: Annotated[float, Field(ge=0, le=127)]
    near_distance: Annotated[int, Field(ge=0, le=16)]
    near_correlation: Annotated[float, Field(ge=0.5, le=1)]
    whole_test: bool


class Split(Section):
    protocol: Literal["held_out", "cross_validation"]
    folds: Annotated[int, Field(ge=2, le=100)]
    fold: Annotated[int, Field(ge=0)]
    test_share: Annotated[float, Field(gt=0, le=0.5)]
    seed: Annotated[int, Field(ge=0, lt=2**32)]

    @model_validator(mode="after")
    def _fold_exists(self) -> "Split":
        if self.fold >= self.folds:
            last = self.folds - 1
            raise ValueError(f"fold {self.fold} does not exist: split.folds is {self.folds}, so folds are 0 to {last}")
        if self.protocol == "cross_validation" and self.folds < 3:
            raise ValueError("cross_validation needs folds to train on, to validate on and to test on: 3 or more")
        return self


class Augment(Section):
    balance: Annotated[float, Field(ge=0, le=1)]
    strength: Annotated[float, Field(ge=0, le=3)]


class Train(Section):
    arch: str | None
    init: str
    epochs: Annotated[int, Field(ge=1)]
    patience: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=2)]
    accumulation: Annotated[int, Field(ge=1)]
    optimizer: str
    lr: Annotated[float, Field(gt=0, le=10)]
    layer_decay: Annotated[float, Field(gt=0, le=1)]
    freeze_epochs: Annotated[int, Field(ge=0)]
    schedule: Literal["cosine", "one_cycle", "plateau", "constant"]
    warm_up: Annotated[float, Field(ge=0, le=0.9)]
    weight_decay: Annotated[float, Field(ge=0, le=10)]
    clip: Annotated[float, Field(gt=0)] | None
    dropout: Annotated[float, Field(ge=0, lt=1)] | None
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    focal: Annotated[float, Field(ge=0, le=10)]
    balance: Literal["none", "weights", "sampling"]
    input_size: Annotated[int, Field(ge=16, le=512)] | None
    strength: Annotated[float, Field(ge=0, le=3)]
    erasing: Annotated[float, Field(ge=0, le=1)]
    mixup: Annotated[float, Field(ge=0, le=10)]
    cutmix: Annotated[float, Field(ge=0, le=10)]
    ema: Annotated[float, Field(ge=0, lt=1)]
    test_flips: bool
    precision: Literal["auto", "float32", "bfloat16", "float16"]
    memory_share: Annotated[float, Field(ge=0, le=0.9)]
    compile: bool
    checkpoint_steps: Annotated[int, Field(ge=1)] | None
    tensorboard: str | None

    @model_validator(mode="after")
    def _fits_together(self) -> "Train":
        part, rest = divmod(self.batch_size, self.accumulation)
        if rest or part < 2:
            raise ValueError(
                f"batch_size {self.batch_size} cannot be computed in accumulation {self.accumulation} "
                "equal parts of two faces or more"
            )
        if (self.mixup or self.cutmix) and part % 2:
            raise ValueError(
                f"mixup and cutmix pair the faces of a batch, so {part} faces at once are one too many; "
                "make batch_size even"
            )
        if self.schedule == "one_cycle" and not self.warm_up:
            raise ValueError("schedule one_cycle rises first: warm_up must be above 0")
        return self


class Tried(Section):
    """What a search tries for one key of `train`: a range or a list."""

    low: Annotated[Any, AfterValidator(_number)] | None = None
    high: Annotated[Any, AfterValidator(_number)] | None = None
    log: bool = False
    choices: Annotated[list, Field(min_length=2), AfterValidator(_distinct)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Tried":
        if not (self.low is None) == (self.high is None) == (self.choices is not None):
            raise ValueError("give either low and high, or choices")
        if self.choices is None and not self.low < self.high:
            raise ValueError(f"low {self.low} must be less than high {self.high}")
        if self.log and (self.choices or self.low <= 0):
            raise ValueError("log needs a range that starts above 0")
        return self

    @property
    def ends(self) -> list:
        """The values that decide whether all are possible."""
        return [self.low, self.high] if self.choices is None else self.choices


class Benchmark(Section):
    models: Annotated[list[str], Field(min_length=1), AfterValidator(_distinct)]
    folds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), AfterValidator(_distinct)]
    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=2**32)]], Field(min_length=1), AfterValidator(_distinct)]
    threads: Annotated[int, Field(ge=1)]


class Report(Section):
    faces: bool


class Params(Section):
    model: str
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    launch: Annotated[str, AfterValidator(_launcher)]
    faces_remote: Annotated[str, Field(min_length=1)]
    data: Data
    sources: Sources
    clean: Clean
    split: Split
    augment: Augment
    train: Train
    benchmark: Benchmark
    search: dict[Literal[tuple(Train.model_fields)], Tried]
    report: Report
    models: dict[str, dict]

    @model_validator(mode="after")
    def _models(self) -> "Params":
        for name, changes in self.models.items():
            _validate(Train, {**self.train.model_dump(), **changes}, f"models.{name}.")
        for key, name in [("model", self.model), *(("benchmark.models", name) for name in self.benchmark.models)]:
            if name not in self.models:
                raise InputError(f"params.yaml: {key}: {name!r} is not one of `models`{nearest(name, self.models)}")
        self._balances_once(self.recipe, "train")
        return self

    @model_validator(mode="after")
    def _search(self) -> "Params":
        for key, tried in self.search.items():
            for value in tried.ends:
                self._balances_once(self.tried({key: value}), "search")
        return self

    def _balances_once(self, recipe: Train, section: str) -> None:
        if recipe.balance != "none" and self.augment.balance:
            raise InputError(
                f"params.yaml: {section}.balance: {recipe.balance!r} and augment.balance: "
                f"{self.augment.balance} both balance the classes; set one to none, or the other to 0"
            )

    def chosen(self, model: str | None, seed: int | None, fold: int | None) -> "Params":
        """These params with another model, seed or validation fold, where they are given; InputError as in `load`."""
        content = self.model_dump()
        content["model"] = self.model if model is None else model
        content["seed"] = self.seed if seed is None else seed
        content["split"]["fold"] = self.split.fold if fold is None else fold
        return _validate(Params, content, "")

    @property
    def recipe(self) -> Train:
        """The training parameters of the chosen architecture: `train`, what `models` changes of it, and its name."""
        recipe = Train(**{**self.train.model_dump(), **self.models[self.model]})
        return recipe if recipe.arch else recipe.model_copy(update={"arch": self.model})

    def tried(self, values: dict) -> Train:
        """The recipe with some of its values changed as a search does; InputError where they are not possible."""
        return _validate(Train, {**self.recipe.model_dump(), **values}, "search.")


def load(path: Path = Path("params.yaml")) -> Params:
    """Read and check `params.yaml`.

    Raises InputError naming the key, the value and the nearest right one.
    """
    try:
        content = YAML(typ="safe").load(path)  # YAML 1.2, as DVC reads it: 1e-3 is a number
    except FileNotFoundError:
        raise InputError(f"{path}: not found; run this from the repository's root") from None
    except YAMLError as error:
        raise InputError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from None
    return _validate(Params, content, "")


def nearest(value: object, known: object) -> str:
    """`": did you mean x?"`, or the list of what is known where nothing is near."""
    known = [str(k) for k in known]
    close = get_close_matches(str(value), known, n=1)
    return f": did you mean {close[0]!r}?" if close else f": it can be {', '.join(known)}"


def _validate(model: type[Section], content: object, prefix: str) -> Section:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # A misspelt key is both unknown and missing: say the first.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        raise InputError(f"params.yaml: {_sentence(model, first, prefix)}") from None


def _sentence(model: type[Section], error: dict, prefix: str) -> str:
    """One line about the first thing that pydantic found wrong."""
    path = [str(part) for part in error["loc"] if part != "[key]"]
    key, value = (prefix + ".".join(path)).rstrip("."), error["input"]
    match error["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key (value {value!r}){nearest(path[-1], _keys(model, path[:-1]))}"
        case "missing":
            return f"{key}: missing"
        case "literal_error":
            return f"{key}: {value!r} is unknown{nearest(value, _options(error['ctx']['expected']))}"
        case "value_error":
            return f"{key}: {error['ctx']['error']}"
        case _:
            return f"{key}: {value!r} is not right: {error['msg'][0].lower()}{error['msg'][1:]}"


def _keys(model: type[Section], path: list[str]) -> list[str]:
    """The keys that a section knows, followed down `path` from `model`."""
    for part in path:
        annotation = model.model_fields[part].annotation if part in getattr(model, "model_fields", {}) else model
        arguments = getattr(annotation, "__args__", (annotation,))
        model = arguments[-1]
    return list(model.model_fields)


def _options(expected: str) -> list[str]:
    """Pydantic's `'a', 'b' or 'c'` as a list."""
    return [option.strip().strip("'") for option in expected.replace(" or ", ", ").split(",")]
