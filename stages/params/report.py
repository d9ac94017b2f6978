"""Section `report`: what the report shows."""

from typing import ClassVar

from stages.base.section import Section


class Report(Section):
    """Whether the report shows faces."""

    KEY: ClassVar[str] = "report"
    faces: bool
