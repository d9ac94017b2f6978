"""What the benchmark's JSON files contain, as far as its stages read them."""

from typing import Annotated, Any, Self

from pydantic import Field, RootModel, model_validator

from stages.base.section import Record
from stages.reporting.records import Intervals, Leak, Seen


class Cost(Record):
    """The cost of a model; energies are there if the device counts them."""

    parameters: int
    flops: Annotated[int, Field(gt=0)]
    threads: int
    device: str
    training_images_per_second: Annotated[float, Field(gt=0)]
    inference_images_per_second: Annotated[float, Field(gt=0)]
    training_joules_per_image: float = 0
    inference_joules_per_image: float = 0


class Pair(Record):
    """Both metrics of a model."""

    macro_f1: float
    accuracy: float


class Scores(Pair):
    """Metrics of a group of faces; intervals are missing if it has too few groups."""

    faces: int
    interval: Intervals
    warning: str = ""


class Test(Record):
    """Metrics of the test faces, by the ensemble of all runs and as a mean over runs."""

    ensemble: Scores
    mean: Pair
    std: Pair = Pair(macro_f1=0, accuracy=0)


class OutOfFold(Scores):
    """Metrics of the out-of-fold faces, by all runs together and as a mean over runs."""

    groups: int
    runs: int
    mean: Pair
    std: Pair = Pair(macro_f1=0, accuracy=0)
    per_dataset: dict[str, Scores]


class Entry(Record):
    """A model of the leaderboard."""

    rank: int
    out_of_fold: OutOfFold
    test: Test
    cost: Cost
    training_seconds: float
    seen_test: Seen | None = None
    rank_shares: Annotated[dict[str, float], Field(default_factory=dict)]


class Difference(Record):
    """A difference between two models; the interval and p are missing if there are too few groups."""

    difference: float
    low: float = 0
    high: float = 0
    p_holm: float = 1

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.model_fields_set & {"low", "high", "p_holm"}) not in (0, 3):
            raise ValueError("low, high and p_holm stand together")
        return self


class Differences(Record):
    """The difference between two neighbours in the ranking, by metric."""

    macro_f1: Difference
    accuracy: Difference


class Board(Record):
    """The leaderboard."""

    models: Annotated[dict[str, Entry], Field(min_length=1)]
    neighbours: dict[str, Differences]
    seeds: int
    drawn_faces: bool
    leaks: Annotated[dict[str, Leak], Field(default_factory=dict)]  # of `test` and `out_of_fold`, or empty

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.neighbours) != len(self.models) - 1:
            raise ValueError(f"{len(self.models)} models do not have {len(self.neighbours)} pairs of neighbours")
        return self


class TestedParts(Record):
    """The metrics of the test faces of each data set."""

    per_dataset: dict[str, Scores]


class Tested(Record):
    """The part of a run's metrics.json that the comparison across data sets reads."""

    test: TestedParts
    leaks: Leak | None = None
    seen_test: Seen | None = None


class CrossRow(Record):
    """The metrics of one training on the test faces of each data set."""

    labels: list[str]
    tested_on: dict[str, Scores]
    leaks: Leak | None = None
    seen_test: Seen | None = None


class Crossed(Record):
    """The comparison across data sets."""

    model: str
    trained_on: dict[str, CrossRow]

    @model_validator(mode="after")
    def _has_all(self) -> Self:
        if "all" not in self.trained_on:
            raise ValueError("trained_on has no row 'all'")
        return self


class StudyMetric(Record):
    """A metric of a study; the interval and the spread over runs are missing where there is none."""

    value: float
    low: float = 0
    high: float = 0
    mean: float = 0
    std: float = 0


class StudyResult(Record):
    """The result of a study, with what decided it."""

    settings: dict[str, Any]
    folds: list[int]
    seeds: list[int]
    ensemble: list[str] | None
    metrics: dict[str, StudyMetric]
    runs: int
    faces: int
    groups: int
    parameters: int
    drawn_faces: bool
    seconds: float
    device: str
    threads: str
    precision: str
    torch: str
    commit: str
    leaks: Leak | None = None
    seen_test: Seen | None = None


class StudyResults(RootModel[dict[str, StudyResult]]):
    """The results of all studies, by name."""
