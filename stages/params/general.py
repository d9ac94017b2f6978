"""The keys at the top level of `params.yaml`."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from stages.base.section import Section


def _launcher(value: str) -> str:
    if value.split()[:1] not in (["python"], ["torchrun"]):
        raise ValueError(f"{value!r} must be python, or torchrun with its options")
    return value


class General(Section):
    """The model, the seed, and how training is launched and shared."""

    KEY: ClassVar[str] = ""
    model: str
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    launch: Annotated[str, AfterValidator(_launcher)]
    faces_remote: Annotated[str, Field(min_length=1)]
