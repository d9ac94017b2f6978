"""The keys at the top level of `params.yaml`."""

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from stages.base.section import Name, Section, quoted


def _launcher(value: str) -> str:
    if not re.fullmatch(r"(python|torchrun)( +[\w./:,=@%+-]+)* *", value, re.ASCII):
        raise ValueError(f"{quoted(value)} must be python, or torchrun with its options; a shell's signs are not taken")
    return value


class General(Section):
    """The model, the seed, and how training is launched and shared."""

    KEY: ClassVar[str] = ""
    model: Name
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    launch: Annotated[str, AfterValidator(_launcher)]
    faces_remote: Annotated[str, Field(min_length=1)]
