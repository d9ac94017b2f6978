"""Section `split`: the test part and the folds."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from stages.base.section import Section
from stages.params.data import Dataset


class Split(Section):
    """Protocol, folds and seed of the split."""

    KEY: ClassVar[str] = "split"
    protocol: Literal["held_out", "official", "cross_validation"]
    by: Literal["groups", "faces"]
    test_on: Dataset | None
    folds: Annotated[int, Field(ge=2, le=100)]
    fold: Annotated[int, Field(ge=0)]
    validation_folds: Annotated[int, Field(ge=1)]
    test_share: Annotated[float, Field(gt=0, le=0.5)]
    seed: Annotated[int, Field(ge=0, lt=2**32)]

    @model_validator(mode="after")
    def _folds_suffice(self) -> Self:
        if self.fold >= self.folds:
            last = self.folds - 1
            raise ValueError(f"fold {self.fold} does not exist: split.folds is {self.folds}, so folds are 0 to {last}")
        if self.protocol == "official" and (self.fold, self.validation_folds) != (0, 1):
            raise ValueError(
                f"protocol official validates on fold 0 alone, which is the official validation part where there is "
                f"one; fold {self.fold} and validation_folds {self.validation_folds} must be 0 and 1"
            )
        if self.test_on and (self.protocol, self.by) != ("held_out", "groups"):
            raise ValueError(f"test_on {self.test_on} needs protocol held_out and by groups")
        test_folds = 1 if self.protocol == "cross_validation" else 0
        if self.folds < test_folds + self.validation_folds + 1:
            tested = "a test fold and " if test_folds else ""
            raise ValueError(
                f"folds {self.folds} and validation_folds {self.validation_folds} leave no fold to train on beside "
                f"{tested}the validation folds; raise folds or lower validation_folds"
            )
        return self
