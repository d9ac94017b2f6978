"""The whole of `params.yaml`, and what must fit together across its sections."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from stages.base.errors import InputError
from stages.base.section import PATH, Name, quoted, read, shortened, validate
from stages.base.suggestions import suggestion
from stages.params.augment import Augment
from stages.params.benchmark import Benchmark
from stages.params.clean import Clean
from stages.params.data import Data
from stages.params.general import General
from stages.params.models import Recipe, recipe
from stages.params.report import Report
from stages.params.search import Tried
from stages.params.sources import Sources
from stages.params.split import Split
from stages.params.train import Train


class Params(General):
    """Every section of `params.yaml`, each valid and all fitting together."""

    KEY: ClassVar[str] = ""
    data: Data
    sources: Sources
    clean: Clean
    split: Split
    augment: Augment
    train: Train
    benchmark: Benchmark
    search: dict[Literal[tuple(Train.model_fields)], Tried]  # type: ignore[valid-type]
    report: Report
    models: dict[Name, dict[str, Any]]

    @classmethod
    def load(cls, path: Path = PATH) -> Self:
        """Read and validate the whole file.

        Raises:
            InputError: as for a section, and where sections contradict each other.
        """
        return validate(cls, read(path=path), "")

    @property
    def recipe(self) -> Recipe:
        """The recipe of the chosen model."""
        return recipe(self.model, self.train, self.models)

    def tried(self, values: dict[str, Any]) -> Recipe:
        """Return the chosen model's recipe with the values that a search tries; InputError if one is not allowed."""
        return validate(Recipe, {**self.recipe.model_dump(), **values}, "search.")

    def changed(self, settings: Mapping[str, Any]) -> Self:
        """Return the parameters with other values, by keys such as `train.lr`; InputError if one is not allowed."""
        content = self.model_dump(exclude_unset=True)
        for key, value in settings.items():
            *names, last = key.split(".")
            section = content
            for name in names:
                section = section.setdefault(name, {})
                if not isinstance(section, dict):
                    raise InputError(f"params.yaml: {key}: unknown key; {name} is a value and not a section")
            section[last] = value
        return validate(type(self), content, "")

    @model_validator(mode="after")
    def _models_exist(self) -> Self:
        for name in self.models:
            recipe(name, self.train, self.models)
        for key, name in [("model", self.model), *(("benchmark.models", name) for name in self.benchmark.models)]:
            if name not in self.models:
                hint = suggestion(name, self.models)
                raise InputError(shortened(f"params.yaml: {key}: {quoted(name)} is not one of `models`{hint}"))
        return self

    @model_validator(mode="after")
    def _classes_are_balanced_once(self) -> Self:
        self._check_balance("train", self.recipe)
        for key, tried in self.search.items():
            for value in tried.extremes:
                self._check_balance("search", self.tried({key: value}))
        return self

    @model_validator(mode="after")
    def _batches_can_be_shared(self) -> Self:
        processes = re.search(r"--nproc[-_]per[-_]node[= ](\d+)", self.launch)
        size = self.recipe.batch_size // self.recipe.accumulation
        if processes and int(processes[1]) > 1 and size % (2 * int(processes[1])):
            raise InputError(
                f"params.yaml: train.batch_size: {size} faces at once cannot be divided in pairs among {processes[1]} "
                f"processes; make them a multiple of {2 * int(processes[1])}"
            )
        return self

    @model_validator(mode="after")
    def _others_are_trained_on(self) -> Self:
        tested, datasets = self.split.test_on, self.data.datasets
        if tested and (tested not in datasets or len(datasets) == 1):
            raise InputError(
                f"params.yaml: split.test_on: {tested} must be one of data.datasets, which must name another one to "
                "train on"
            )
        return self

    @model_validator(mode="after")
    def _published_parts_are_whole(self) -> Self:
        if (self.split.protocol, self.split.by) == ("official", "faces") and not self.clean.whole_parts:
            raise InputError(
                "params.yaml: split.by: faces under protocol official needs clean.whole_parts: true, without which "
                "copies of test faces are removed and only validation leaks; set it, or choose by: groups"
            )
        return self

    @model_validator(mode="after")
    def _archives_are_named(self) -> Self:
        source = self.data.source
        settings = getattr(self.sources, source)
        for dataset in self.data.datasets:
            key = f"sources.{source}.{dataset}"
            if dataset not in settings:
                raise InputError(f"params.yaml: {key}: missing; say there where the archive of {dataset} is")
            if source == "local" and not settings[dataset].path:
                raise InputError(
                    f"params.yaml: {key}.path: not set; give your copy of {dataset}, an archive or a folder"
                )
            if source == "kaggle" and bool(settings[dataset].dataset) == bool(settings[dataset].competition):
                raise InputError(
                    f"params.yaml: {key}: set either dataset (owner/name) or competition, or use data.source: local"
                )
        return self

    def check_benchmark(self) -> None:
        """Check that the section `benchmark` fits the others.

        Raises:
            InputError: the protocol is official, a fold does not exist, no fold is left to train on, the model of the
                label review is not in the benchmark, or a model's classes are balanced twice.
        """
        if self.split.protocol == "official":
            raise InputError(
                "params.yaml: split.protocol: official has no fold by which the benchmark can rank; choose held_out or "
                "cross_validation"
            )
        for fold in self.benchmark.folds:
            if fold >= self.split.folds:
                last = self.split.folds - 1
                raise InputError(f"params.yaml: benchmark.folds: fold {fold} does not exist; folds are 0 to {last}")
        if self.split.folds < self.split.validation_folds + 2:
            raise InputError(
                f"params.yaml: split.folds: {self.split.folds} folds leave none to train on beside the fold that ranks "
                f"and split.validation_folds {self.split.validation_folds}; raise split.folds for the benchmark"
            )
        if self.benchmark.review not in self.benchmark.models:
            hint = suggestion(self.benchmark.review, self.benchmark.models)
            raise InputError(
                shortened(
                    f"params.yaml: benchmark.review: {quoted(self.benchmark.review)} is not one of `benchmark.models`, "
                    f"so there are no predictions to review labels by{hint}"
                )
            )
        for model in self.benchmark.models:
            self._check_balance(f"models.{model}", recipe(model, self.train, self.models))

    def _check_balance(self, section: str, settings: Train) -> None:
        if settings.balance != "none" and self.augment.balance:
            raise InputError(
                f"params.yaml: {section}.balance: {settings.balance!r} and augment.balance: {self.augment.balance} "
                "both balance the classes; set one to none, or the other to 0"
            )
