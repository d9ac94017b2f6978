"""Section `search`: the values that a hyperparameter search tries."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from stages.base.section import Section, distinct, number


class Tried(Section):
    """The values that a search tries for one key of `train`: a range or a list."""

    low: Annotated[Any, AfterValidator(number)] | None = None
    high: Annotated[Any, AfterValidator(number)] | None = None
    log: bool = False
    choices: Annotated[list, Field(min_length=2, max_length=1000), AfterValidator(distinct)] | None = None

    @model_validator(mode="after")
    def _range_or_list(self) -> Self:
        low, high = self.low, self.high
        if self.choices is not None:
            if low is not None or high is not None:
                raise ValueError("give either low and high, or choices")
            if self.log:
                raise ValueError("log needs a range that starts above 0")
            return self
        if low is None or high is None:
            raise ValueError("give either low and high, or choices")
        if not low < high:
            raise ValueError(f"low {low} must be less than high {high}")
        if self.log and low <= 0:
            raise ValueError("log needs a range that starts above 0")
        return self

    @property
    def extremes(self) -> list:
        """The values that decide whether all values are allowed: the ends of the range, or the whole list."""
        return [self.low, self.high] if self.choices is None else self.choices
