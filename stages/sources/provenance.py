"""Where an archive comes from, as `source.json` states it."""

from typing import TypedDict

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
