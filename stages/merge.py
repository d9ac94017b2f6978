"""Read, crop and resize the faces of all archives, with harmonised labels → data/merged/, metrics/merge.json.

    python -m stages.merge

data/merged/ holds the face table (faces.npy and index.csv), the rejected archive members (rejected.csv) and the
provenance of the archives (sources.json).
"""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from stages.base.atomic import atomic_output, remove
from stages.base.errors import InputError, guard
from stages.base.files import read_json, write_json
from stages.base.progress import progress
from stages.datasets.completeness import Tally
from stages.datasets.published import count_differences
from stages.datasets.reading import read_faces
from stages.datasets.writer import TableWriter
from stages.params.data import Data
from stages.sources.provenance import Source

ARCHIVES = Path("data/archives")


def main() -> None:
    """Run the stage."""
    data = Data.load()
    for dataset in data.datasets:
        if not (ARCHIVES / dataset / "source.json").exists():
            raise InputError(f"{ARCHIVES / dataset}: no archive; run `dvc repro download@{dataset}`")
    _remove_unlisted(data.datasets)
    sources: dict[str, dict[str, Any]] = {}
    metrics: dict[str, dict[str, Any]] = {}
    with atomic_output(Path("data/merged")) as folder:
        folder.mkdir()
        with TableWriter(folder, data.size, data.channels) as table:
            for dataset in data.datasets:
                source = read_json(ARCHIVES / dataset / "source.json", Source)
                name = f"drawn-{dataset}" if source["drawn"] else dataset  # marks drawn faces in all later outputs
                sources[name], tally = source, Tally(dataset)
                for item in progress(read_faces(dataset, ARCHIVES / dataset, data), name, unit=" faces"):
                    table.append(name, item)
                    tally.add(item)
                lacks = tally.check(str(ARCHIVES / dataset), data)
                metrics[name] = {"faces": tally.faces.total(), "rejected": dict(sorted(tally.rejected.items()))}
                print(f"{name}: {tally.faces.total()} faces, {_list_reasons(tally.rejected)}")
                if lacks:
                    metrics[name]["missing"] = lacks
                    print(f"{name}: missing, as data.accept_missing allows: {'; '.join(lacks)}")
                differences = None if source["drawn"] else count_differences(dataset, tally.faces, data.labels)
                if differences is not None:
                    metrics[name]["more_than_published"] = differences
                    print(f"{name}: {_describe_differences(differences)}")
        write_json(dict(sorted(sources.items())), folder / "sources.json")
    write_json({name: dict(sorted(metrics[name].items())) for name in sorted(metrics)}, Path("metrics/merge.json"))


def _list_reasons(rejected: Counter[str]) -> str:
    reasons = "; ".join(f"{reason} ({count})" for reason, count in rejected.most_common())
    return f"{rejected.total()} rejected{': ' if reasons else ''}{reasons}"


def _describe_differences(differences: dict[str, int]) -> str:
    if not differences:
        return "the counts are as published"
    counts = (f"{place} {abs(count)} {'more' if count > 0 else 'fewer'}" for place, count in differences.items())
    return f"the counts differ from the published ones: {', '.join(counts)}"


def _remove_unlisted(datasets: Collection[str]) -> None:
    """Remove the archives of other data sets: DVC hashes the folder data/archives, which must equal a fresh clone's."""
    if ARCHIVES.is_symlink():
        return  # what it leads to is the user's, and not this pipeline's to remove
    for folder in ARCHIVES.iterdir():
        if folder.is_dir() and not folder.is_symlink() and folder.name not in datasets:
            remove(folder)


if __name__ == "__main__":
    guard(main)
