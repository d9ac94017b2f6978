"""Section `split`: the test part and the folds."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from stages.base.section import Section


class Split(Section):
    """Protocol, folds and seed of the split."""

    KEY: ClassVar[str] = "split"
    protocol: Literal["held_out", "cross_validation"]
    folds: Annotated[int, Field(ge=2, le=100)]
    fold: Annotated[int, Field(ge=0)]
    test_share: Annotated[float, Field(gt=0, le=0.5)]
    seed: Annotated[int, Field(ge=0, lt=2**32)]

    @model_validator(mode="after")
    def _fold_exists(self) -> Self:
        if self.fold >= self.folds:
            last = self.folds - 1
            raise ValueError(f"fold {self.fold} does not exist: split.folds is {self.folds}, so folds are 0 to {last}")
        if self.protocol == "cross_validation" and self.folds < 3:
            raise ValueError("cross_validation needs folds for training, validation and test: 3 or more")
        return self
