"""What one training is given: its options and its parameters."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from stages.base.section import Section, validate
from stages.params.data import Data
from stages.params.general import General
from stages.params.models import Recipe, load_recipe
from stages.params.split import Split

Kind = TypeVar("Kind", bound=Section)


@dataclass(frozen=True)
class Run:
    """What to train.

    Attributes:
        model: name of the model in params.yaml.
        seed: seed of all random numbers.
        fold: the first validation fold; of a ranked run, the fold that is out of fold (see `subsets`).
        validation_folds: number of folds that validate.
        ranked: whether the run is one of a benchmark, which ranks models by out-of-fold faces.
        dataset: the only data set to train and validate on; None for all of them.
        labels: the labels in params.yaml.
        recipe: the training recipe.
        threads: CPU threads; None for one per core.
        folder: folder of this run's outputs; None for those of the main pipeline.
    """

    model: str
    seed: int
    fold: int
    validation_folds: int
    ranked: bool
    dataset: str | None
    labels: list[str]
    recipe: Recipe
    threads: int | None
    folder: str | None

    @property
    def name(self) -> str:
        """The model, and the name of the run's folder if it has one: `cnn5/0-0` of `data/benchmark/cnn5/0-0`."""
        return "/".join([self.model, *Path(self.folder or "").parts[-1:]])


def parse_run(description: str | None) -> Run:
    """Return the run that the command line and params.yaml describe; options replace parameters.

    Raises:
        InputError: params.yaml is not valid, or it has no such seed or fold.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="model to train; default: `model` in params.yaml")
    parser.add_argument("--seed", type=int, help="seed of the run; default: `seed` in params.yaml")
    parser.add_argument("--fold", type=int, help="fold that is not trained on; default: `split.fold` in params.yaml")
    parser.add_argument("--ranked", action="store_true", help="a run of the benchmark: leave the fold out altogether")
    parser.add_argument("--dataset", metavar="NAME", help="only data set to train on; default: all of them")
    parser.add_argument("--threads", type=int, help="CPU threads; default: one for each core")
    parser.add_argument("--to", metavar="FOLDER", help="folder of this run's outputs; default: the main pipeline's")
    options = parser.parse_args()
    general = _replaced(General.load(), "seed", options.seed)
    split = _replaced(Split.load(), "fold", options.fold)
    model = options.model or general.model
    return Run(
        model=model,
        seed=general.seed,
        fold=split.fold,
        validation_folds=split.validation_folds,
        ranked=options.ranked,
        dataset=options.dataset,
        labels=list(Data.load().labels),
        recipe=load_recipe(model),
        threads=options.threads,
        folder=options.to,
    )


def _replaced(section: Kind, key: str, option: int | None) -> Kind:
    """Return a section of params.yaml with the value of an option, if it was given."""
    if option is None:
        return section
    return validate(type(section), section.model_dump() | {key: option}, "--", "command line")
