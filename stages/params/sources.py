"""Section `sources`: where the archive of each data set is, for each `data.source`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from stages.base.section import Section
from stages.params.data import Dataset


class Demo(Section):
    """Drawn faces: about how many, and for FER2013 in which layout."""

    faces: Annotated[int, Field(ge=60, le=1_000_000)]
    layout: Literal["csv", "folders"] = "csv"


class Local(Section):
    """An archive on this machine; `sha256` pins its content."""

    path: str | None
    sha256: str | None = None


class Kaggle(Section):
    """A data set or a competition on Kaggle; `version` is a data set's, `file` is one file of it."""

    dataset: str | None = None
    competition: str | None = None
    version: int | None = None
    file: str | None = None


class Sources(Section):
    """The settings of every source, by data set."""

    KEY: ClassVar[str] = "sources"
    demo: dict[Dataset, Demo]
    local: dict[Dataset, Local]
    kaggle: dict[Dataset, Kaggle]
