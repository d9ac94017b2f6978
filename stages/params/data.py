"""Section `data`: which data sets are used, and what a face looks like."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from stages.base.section import Section, distinct

Dataset = Literal["ck48", "jaffe", "sfew", "fer2013", "rafdb"]
Label = Literal["anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral", "contempt"]


class Data(Section):
    """Data sets, labels, and the size and channels of a face."""

    KEY: ClassVar[str] = "data"
    source: Literal["demo", "local", "kaggle"]
    datasets: Annotated[list[Dataset], Field(min_length=1), AfterValidator(distinct)]
    labels: Annotated[list[Label], Field(min_length=2), AfterValidator(distinct)]
    size: Annotated[int, Field(ge=16, le=512)]
    channels: Literal[1, 3]
