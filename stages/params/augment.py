"""Section `augment`: the copies that balance the classes."""

from typing import Annotated, ClassVar

from pydantic import Field

from stages.base.section import Section


class Augment(Section):
    """How far the classes are balanced, and how strongly the copies are augmented."""

    KEY: ClassVar[str] = "augment"
    balance: Annotated[float, Field(ge=0, le=1)]
    strength: Annotated[float, Field(ge=0, le=3)]
