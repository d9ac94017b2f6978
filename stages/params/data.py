"""Section `data`: which data sets are used, what a face looks like, and what an archive may lack and hold."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from stages.base.section import Section, distinct

Dataset = Literal["ck48", "jaffe", "sfew", "fer2013", "ferplus", "rafdb"]
Label = Literal["anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral", "contempt"]


class Limits(Section):
    """Bounds on an archive; the run stops where one is exceeded."""

    gigabytes: Annotated[float, Field(gt=0, le=10_000)]
    expansion: Annotated[int, Field(ge=1, le=100_000)]
    members: Annotated[int, Field(ge=1)]
    rejected: Annotated[int, Field(ge=1)]
    unreadable: Annotated[float, Field(ge=0, le=1)]


class Data(Section):
    """Data sets, labels, and the size and channels of a face."""

    KEY: ClassVar[str] = "data"
    source: Literal["demo", "local", "kaggle"]
    datasets: Annotated[list[Dataset], Field(min_length=1), AfterValidator(distinct)]
    labels: Annotated[list[Label], Field(min_length=2), AfterValidator(distinct)]
    size: Annotated[int, Field(ge=16, le=512)]
    channels: Literal[1, 3]
    accept_missing: Annotated[list[Dataset], AfterValidator(distinct)]
    limits: Limits
