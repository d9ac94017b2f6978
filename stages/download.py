"""Fetch one data set, as it is served → data/archives/<dataset>/: the archive and source.json."""

import hashlib
import json
import sys
from pathlib import Path

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.params.data import Data
from stages.params.sources import Sources
from stages.sources import demo, kaggle, local

SOURCES = {"demo": demo, "local": local, "kaggle": kaggle}


def main() -> None:
    dataset = sys.argv[1]
    source_name = Data.load().source
    settings = getattr(Sources.load(), source_name).get(dataset)
    if settings is None:
        raise InputError(f"params.yaml: sources.{source_name}.{dataset}: missing; say there where its archive is")

    with atomic_output(Path("data/archives") / dataset) as folder:
        folder.mkdir()
        source = SOURCES[source_name].fetch(dataset, settings, folder)
        source["files"] = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
        (folder / "source.json").write_text(json.dumps(source, indent=2, sort_keys=True) + "\n")
    print(f"{dataset}: {', '.join(source['files'])} from {source['from']}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    guard(main)
