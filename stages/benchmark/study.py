"""Studies: named overrides of params.yaml with the metrics that they are compared with, read from one file."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from stages.base.errors import InputError
from stages.base.section import Section, distinct, read, validate
from stages.base.suggestions import suggestion

Settings = dict[str, Any]  # values by their keys in params.yaml, such as `train.lr`
Numbers = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), AfterValidator(distinct)]
Text = Annotated[str, Field(min_length=1)]


class Original(Section):
    """A metric of somebody else that a study is compared with.

    Attributes:
        metric: the name of the study's own metric, such as `test.accuracy` (see `study_results`).
        value: 0 to 1.
        source: who reported it, and where.
        difference: how its protocol differs from that of the study, in a sentence.
    """

    metric: Annotated[str, Field(pattern=r"^(test|validation|ensemble)\.[\w.-]+$")]
    value: Annotated[float, Field(ge=0, le=1)]
    source: Text
    difference: Text


class Study(Section):
    """One study: what it trains, or whose predictions it averages.

    Attributes:
        about: what it is, in a phrase.
        recipe: the name of one of the file's `recipes`, whose settings apply before its own.
        settings: values by their keys in params.yaml. Those of `train` apply to the study's model whatever `models`
            says of it.
        folds: values of `split.fold`.
        seeds: values of `seed`; every fold is trained with every seed.
        ensemble: names of studies whose runs are averaged; such a study trains nothing itself.
        original: what it is compared with.
    """

    about: Text
    recipe: str | None = None
    settings: Settings = Field(default={})
    folds: Numbers = Field(default=[0])
    seeds: Numbers = Field(default=[0])
    ensemble: Annotated[list[str], Field(min_length=1), AfterValidator(distinct)] | None = None
    original: list[Original] = Field(default=[])

    @model_validator(mode="after")
    def _trains_or_averages(self) -> Self:
        if self.ensemble is None and "model" not in self.settings:
            raise ValueError("settings must name the model, or ensemble the studies to average")
        if given := {"seed", "split.fold"} & self.settings.keys():
            raise ValueError(f"settings: {min(given)} is given by {'seeds' if 'seed' in given else 'folds'}")
        if self.ensemble is not None and self.model_fields_set & {"recipe", "settings", "folds", "seeds"}:
            raise ValueError("ensemble averages other studies, so it has no recipe, settings, folds and seeds")
        return self

    @property
    def determining(self) -> dict[str, Any]:
        """What decides the results of the study."""
        return self.model_dump(include={"settings", "folds", "seeds", "ensemble"})


class StudyFile(Section):
    """The content of the file: recipes, which are settings by name, and studies by name."""

    KEY: ClassVar[str] = ""
    recipes: dict[str, Settings]
    studies: dict[Annotated[str, Field(pattern=r"^\w[\w-]*$")], Study]


def read_studies(path: Path) -> dict[str, Study]:
    """Return the studies of a file by name, with the settings of their recipes among their own.

    Raises:
        InputError: the file does not fit `StudyFile`, or names a recipe or a study that it does not have.
    """
    file = validate(StudyFile, read(path=path), "", path)
    studies = {}
    for name, study in file.studies.items():
        if study.recipe is not None and study.recipe not in file.recipes:
            hint = suggestion(study.recipe, file.recipes)
            raise InputError(f"{path}: studies.{name}.recipe: {study.recipe!r} is not one of `recipes`{hint}")
        for member in study.ensemble or ():
            if member not in file.studies or file.studies[member].ensemble:
                raise InputError(f"{path}: studies.{name}.ensemble: {member!r} is no study that trains")
        settings = {**file.recipes.get(study.recipe or "", {}), **study.settings}
        prefix = f"models.{settings.get('model')}."
        settings = {prefix + key[6:] if key.startswith("train.") else key: value for key, value in settings.items()}
        studies[name] = study.model_copy(update={"settings": settings, "recipe": None})
    return studies


def chosen(studies: dict[str, Study], names: list[str]) -> dict[str, Study]:
    """Return the studies with these names; raise InputError if one does not exist."""
    for name in names:
        if name not in studies:
            raise InputError(f"{name}: no study has this name{suggestion(name, studies)}")
    return {name: studies[name] for name in names}


def not_done(studies: dict[str, Study], results: dict[str, Any], drawn: bool) -> dict[str, Study]:
    """Return the studies without a result of their present settings; those that average others come last.

    A study that averages others also waits if they do, or if it averaged earlier runs of theirs.

    Args:
        studies: the studies by name.
        results: the results by name, each with what `Study.determining` was when it was made.
        drawn: whether results on drawn faces count.
    """
    done = {name: result for name, result in results.items() if drawn or not result["drawn_faces"]}

    def waits(name: str, study: Study) -> bool:
        result = done.get(name)
        if result is None or _decisive(result) != _decisive(study.determining):
            return True
        members = study.ensemble or []
        if any(waits(member, studies[member]) for member in members):
            return True
        commits = [commit for member in members for commit in done[member]["commit"].split(", ")]
        return bool(members) and ", ".join(dict.fromkeys(commits)) != result["commit"]

    waiting = {name: study for name, study in studies.items() if waits(name, study)}
    return dict(sorted(waiting.items(), key=lambda item: bool(item[1].ensemble)))


def _decisive(values: dict[str, Any]) -> dict[str, Any]:
    """Return what decided a result, of what was `Study.determining`; `allow_seen_test` only permits a training."""
    settings = {key: value for key, value in values["settings"].items() if not key.endswith(".allow_seen_test")}
    return {"settings": settings, **{key: values[key] for key in ("folds", "seeds", "ensemble")}}
