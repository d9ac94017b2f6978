"""Where an archive comes from, as `source.json` states it."""

from typing import TypedDict

from pydantic import Field, RootModel

from stages.base.section import Record

Provenance = TypedDict(
    "Provenance",
    {
        "source": str,  # demo, local or kaggle
        "from": str,  # name of the file, folder, Kaggle data set or competition
        "version": int | str | None,  # of the data set on Kaggle, or of the drawing
        "licence": str,
        "drawn": bool,  # whether the faces are drawn, and show no person
        "date": str | None,  # of the data, YYYY-MM-DD; it depends on nothing but the data
    },
)


class Source(Record):
    """The content of `source.json`: the values of `Provenance`, and the SHA-256 of each file by name."""

    origin: str = Field(alias="from")
    version: int | str | None = None
    licence: str
    drawn: bool
    date: str | None = None
    files: dict[str, str]


Sources = RootModel[dict[str, Source]]  # by data set
Fingerprints = RootModel[dict[str, str]]  # the SHA-256 of local archives by data set
