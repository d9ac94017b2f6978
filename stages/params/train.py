"""Section `train`: the training recipe."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from stages.base.section import Section, distinct


class Train(Section):
    """A training recipe. `params.yaml` describes each key."""

    KEY: ClassVar[str] = "train"
    arch: str | None
    init: str
    teachers: Annotated[list[str], AfterValidator(distinct)]
    teachers_share: Annotated[float, Field(ge=0, le=1)]
    allow_seen_test: bool
    epochs: Annotated[int, Field(ge=1, le=1_000_000)]
    patience: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=2, le=65_536)]
    gpu_batch_size: Annotated[int, Field(ge=2, le=65_536)] | None
    accumulation: Annotated[int, Field(ge=1)]
    optimizer: str
    lr: Annotated[float, Field(gt=0, le=10)]
    bias_lr: Annotated[float, Field(gt=0, le=100)]
    layer_decay: Annotated[float, Field(gt=0, le=1)]
    freeze_epochs: Annotated[int, Field(ge=0)]
    schedule: Literal["cosine", "one_cycle", "plateau", "constant"]
    warm_up: Annotated[float, Field(ge=0, le=0.9)]
    weight_decay: Annotated[float, Field(ge=0, le=10)]
    clip: Annotated[float, Field(gt=0)] | None
    dropout: Annotated[float, Field(ge=0, lt=1)] | None
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    focal: Annotated[float, Field(ge=0, le=10)]
    balance: Literal["none", "weights", "sampling"]
    input_size: Annotated[int, Field(ge=16, le=512)] | None
    normalise: Literal["faces", "face"]
    strength: Annotated[float, Field(ge=0, le=3)]
    erasing: Annotated[float, Field(ge=0, le=1)]
    mixup: Annotated[float, Field(ge=0, le=10)]
    cutmix: Annotated[float, Field(ge=0, le=10)]
    ema: Annotated[float, Field(ge=0, lt=1)]
    test_views: Literal[1, 2, 10]
    precision: Literal["auto", "float32", "bfloat16", "float16"]
    memory_share: Annotated[float, Field(ge=0, le=0.9)]
    execution: Literal["auto", "eager", "compile"]
    batch_norm: Literal["shared", "local"]
    checkpoint_minutes: Annotated[float, Field(gt=0)]
    tensorboard: str | None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        part, rest = divmod(self.batch_size, self.accumulation)
        if rest or part < 2:
            raise ValueError(
                f"batch_size {self.batch_size} cannot be divided into accumulation {self.accumulation} equal parts of "
                "two faces or more"
            )
        if (self.mixup or self.cutmix) and part % 2:
            raise ValueError(
                f"mixup and cutmix mix the faces of a batch in pairs, and {part} faces at once are an odd number; "
                "make batch_size even"
            )
        if self.schedule == "one_cycle" and not self.warm_up:
            raise ValueError("schedule one_cycle starts with a rising rate: warm_up must be above 0")
        return self
