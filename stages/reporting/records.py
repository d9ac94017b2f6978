"""What the JSON files and tables contain that reports read; what has a default can be missing."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, RootModel

from stages.base.section import Record

Count = Annotated[int, Field(ge=0)]
Counts = dict[str, Count]


class Interval(Record):
    """A 95 % confidence interval."""

    low: float
    high: float


Intervals = Annotated[dict[str, Interval], Field(default_factory=dict)]  # by metric


class Seen(Record):
    """How many of the faces by which a model is tested its initial weights, or its teachers, have seen."""

    faces: Count
    of: Count
    same_image: Count
    near_duplicate: Count
    same_group: Count


class Leak(Record):
    """How many test faces have a training face of the same group."""

    faces: Count
    of: Count


class Calibration(Record):
    """The expected calibration error and its floor."""

    ece: float
    ece_floor: float


class CalibratedTest(Calibration):
    """The metrics of all test faces after temperature scaling."""

    log_loss: float


class Part(Calibration):
    """The metrics of a group of test faces."""

    faces: Annotated[int, Field(gt=0)]
    groups: Count
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    auroc: float = 0
    interval: Intervals
    warning: str = ""
    calibrated: Calibration


class LabelMetrics(Record):
    """The metrics of a label."""

    faces: Count
    groups: Count
    precision: float
    recall: float
    f1: float
    auroc: float = 0
    interval: Intervals
    warning: str = ""


class Coarse(Record):
    """The metrics of the coarse task."""

    accuracy: float
    balanced_accuracy: float
    macro_f1: float


class Test(Part):
    """The metrics of all test faces."""

    weighted_f1: float
    top2: float
    kappa: float = 0
    log_loss: float
    calibrated: CalibratedTest
    coarse: Coarse = Coarse(accuracy=0, balanced_accuracy=0, macro_f1=0)
    per_class: Annotated[dict[str, LabelMetrics], Field(min_length=1)]
    per_dataset: Annotated[dict[str, Part], Field(min_length=1)]


class Validation(Record):
    """The metrics of the validation faces."""

    faces: Count
    accuracy: float
    macro_f1: float
    weighted_f1: float
    top2: float
    kappa: float = 0
    log_loss: float
    ece: float


class Metrics(Record):
    """The metrics of a run."""

    test: Test
    validation: Validation
    temperature: float
    parameters: Count
    drawn_faces: bool
    seen_test: Seen | None = None
    seen_validation: Seen | None = None
    leaks: Leak | None = None


class Training(Record):
    """Device, duration and speed of a training."""

    device: str
    precision: str
    processes: int
    threads: int
    seconds: float
    faces_per_second: float
    torch: str


class MergedDataset(Record):
    """How many faces merging has found in a data set."""

    faces: Count
    rejected: Counts
    missing: Annotated[list[str], Field(default_factory=list)]
    more_than_published: Annotated[dict[str, int], Field(default_factory=dict)]


class CleanedDataset(Record):
    """How many faces cleaning has kept of a data set."""

    kept: Count
    removed: Counts
    duplicate_groups: Count
    redundant_faces: Count
    conflicting_groups: Count
    conflicting_faces: Count
    test_faces_also_in_train: Count = 0


class Split(Record):
    """The counts of the split."""

    groups: Count
    train: Counts
    test: Counts
    unused: Counts
    excluded: Counts


COUNTS: dict[str, type[BaseModel]] = {  # by stage
    "merge": RootModel[dict[str, MergedDataset]],
    "clean": RootModel[dict[str, CleanedDataset]],
    "split": Split,
}
EXPLORE: dict[str, dict[str, Any]] = {  # columns of the tables of the stage explore
    "classes": {"dataset": str, "part": str, "label": str, "faces": int},
    "light": {"dataset": str, "quantity": str, "value": float, "share": float},
}


def evaluation_columns(labels: list[str]) -> dict[str, dict[str, Any]]:
    """Return the columns of the tables of the stage evaluate, by the table's name."""
    return {
        "confusion": {"label": labels, "prediction": labels, "faces": int, "recall": float, "precision": float},
        "roc": {"label": labels, "fpr": float, "tpr": float},
        "precision_recall": {"label": labels, "recall": float, "precision": float},
        "reliability": {"probabilities": ["raw", "calibrated"], "confidence": float, "accuracy": float, "faces": int},
        "per_class": {"label": labels, "precision": float, "recall": float, "f1": float, "faces": int},
        "probabilities": {"outcome": ["right", "wrong"], "probability": float, "faces": int},
    }
