"""Fetch the archive of one data set, unchanged → data/archives/<dataset>/.

    python -m stages.download DATASET
    python -m stages.download --fingerprints

The folder holds the archive and source.json, which states its provenance and the SHA-256 of its files. The second
command writes data/fingerprints/local.json, the hashes of the local archives: `dvc repro` runs it every time where the
source is local, and fetches the archives again if a hash has changed.
"""

import sys
from pathlib import Path
from typing import Any

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.base.files import read_json, sha256, write_json
from stages.params.data import Data
from stages.params.sources import Sources
from stages.sources import demo, kaggle, local
from stages.sources.provenance import Fingerprints

SOURCES: dict[str, Any] = {"demo": demo, "local": local, "kaggle": kaggle}
FINGERPRINTS = Path("data/fingerprints/local.json")


def main() -> None:
    """Run the stage for the data set named on the command line, or write the fingerprints."""
    data, sources = Data.load(), Sources.load()
    match sys.argv[1:]:
        case ["--fingerprints"]:
            write_fingerprints(data, sources)
        case [dataset]:
            fetch(dataset, data, sources)
        case _:
            raise InputError("name one data set: python -m stages.download DATASET")


def fetch(dataset: str, data: Data, sources: Sources) -> None:
    """Fetch the archive of a data set."""
    source = data.source
    settings = getattr(sources, source).get(dataset)
    if settings is None:
        raise InputError(f"params.yaml: sources.{source}.{dataset}: missing; add where its archive is")

    with atomic_output(Path("data/archives") / dataset) as folder:
        folder.mkdir()
        options = {"limits": data.limits} if source == "local" else {}
        provenance = SOURCES[source].fetch(dataset, settings, folder, **options)
        files = {path.name: sha256(path) for path in sorted(folder.iterdir())}
        write_json(dict(sorted({**provenance, "files": files}.items())), folder / "source.json")
    print(f"{dataset}: {', '.join(files)} ({source}: {provenance['from']})")


def write_fingerprints(data: Data, sources: Sources) -> None:
    """Write the hash of each local archive by data set; of one that is not there, the last known hash, if any."""
    try:
        known = read_json(FINGERPRINTS, Fingerprints) if FINGERPRINTS.exists() else {}
    except InputError:  # whose message names the stage that writes it, which is this one
        raise InputError(f"{FINGERPRINTS}: damaged; remove it and run again") from None
    hashes = {}
    for dataset in data.datasets:
        settings = sources.local.get(dataset)
        found = local.fingerprint(settings.path) if settings and settings.path else None
        if digest := found or known.get(dataset):
            hashes[dataset] = digest
    write_json(hashes, FINGERPRINTS)


if __name__ == "__main__":
    guard(main)
