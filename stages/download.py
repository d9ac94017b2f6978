"""Fetch the archive of one data set, unchanged → data/archives/<dataset>/.

    python -m stages.download DATASET

The folder holds the archive and source.json, which states its provenance and the SHA-256 of its files.
"""

import sys
from pathlib import Path
from typing import Any

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.base.files import sha256, write_json
from stages.params.data import Data
from stages.params.sources import Sources
from stages.sources import demo, kaggle, local

SOURCES: dict[str, Any] = {"demo": demo, "local": local, "kaggle": kaggle}


def main() -> None:
    """Run the stage for the data set named on the command line."""
    dataset = sys.argv[1]
    data = Data.load()
    source = data.source
    settings = getattr(Sources.load(), source).get(dataset)
    if settings is None:
        raise InputError(f"params.yaml: sources.{source}.{dataset}: missing; add where its archive is")

    with atomic_output(Path("data/archives") / dataset) as folder:
        folder.mkdir()
        options = {"limits": data.limits} if source == "local" else {}
        provenance = SOURCES[source].fetch(dataset, settings, folder, **options)
        files = {path.name: sha256(path) for path in sorted(folder.iterdir())}
        write_json(dict(sorted({**provenance, "files": files}.items())), folder / "source.json")
    print(f"{dataset}: {', '.join(files)} ({source}: {provenance['from']})")


if __name__ == "__main__":
    guard(main)
