"""Section `clean`: which faces are removed."""

from typing import Annotated, ClassVar

from pydantic import Field

from stages.base.section import Section


class Clean(Section):
    """Thresholds for near-constant images and near-duplicates, and further rules of removal."""

    KEY: ClassVar[str] = "clean"
    min_contrast: Annotated[float, Field(ge=0, le=127)]
    near_distance: Annotated[int, Field(ge=0, le=16)]
    near_correlation: Annotated[float, Field(ge=0.5, le=1)]
    whole_parts: bool
    one_per_expression: bool
