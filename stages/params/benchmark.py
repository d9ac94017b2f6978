"""Section `benchmark`: which models are compared, on which folds and seeds."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from stages.base.section import Name, Section, distinct

MOST = 1000  # models, folds or seeds


class Benchmark(Section):
    """The runs of the benchmark: every model on every fold with every seed."""

    KEY: ClassVar[str] = "benchmark"
    models: Annotated[list[Name], Field(min_length=1, max_length=MOST), AfterValidator(distinct)]
    folds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1, max_length=MOST), AfterValidator(distinct)]
    seeds: Annotated[
        list[Annotated[int, Field(ge=0, lt=2**32)]], Field(min_length=1, max_length=MOST), AfterValidator(distinct)
    ]
    threads: Annotated[int, Field(ge=1, le=1024)]
    review: str
