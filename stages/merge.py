"""Read, crop and resize the faces of all archives, with harmonised labels → data/merged/, metrics/merge.json.

    python -m stages.merge

data/merged/ holds the face table (faces.npy and index.csv), the rejected archive members (rejected.csv) and the
provenance of the archives (sources.json).
"""

import shutil
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from tqdm import tqdm

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.base.files import read_json, write_json
from stages.datasets.picture import Rejected
from stages.datasets.published import count_differences
from stages.datasets.reading import read_faces
from stages.datasets.writer import TableWriter
from stages.params.data import Data

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
                source = read_json(ARCHIVES / dataset / "source.json")
                name = f"drawn-{dataset}" if source["drawn"] else dataset  # marks drawn faces in all later outputs
                sources[name] = source
                faces: Counter[tuple[str, str]] = Counter()
                rejected: Counter[str] = Counter()
                items = read_faces(dataset, ARCHIVES / dataset, data.labels, data.size, data.channels)
                for item in tqdm(items, name, unit=" faces", disable=None):
                    table.append(name, item)
                    if isinstance(item, Rejected):
                        rejected[item.reason] += 1
                    else:
                        faces[item.official, item.label] += 1
                metrics[name] = {"faces": faces.total(), "rejected": dict(sorted(rejected.items()))}
                print(f"{name}: {faces.total()} faces, {rejected.total()} rejected{_list_reasons(rejected)}")
                if not source["drawn"]:
                    differences = count_differences(dataset, faces, data.labels)
                    metrics[name] = {**metrics[name], "more_than_published": differences}
                    print(f"{name}: {_describe_differences(differences)}")
        write_json(dict(sorted(sources.items())), folder / "sources.json")
    write_json({name: dict(sorted(metrics[name].items())) for name in sorted(metrics)}, Path("metrics/merge.json"))


def _list_reasons(rejected: Counter[str]) -> str:
    reasons = "; ".join(f"{reason} ({count})" for reason, count in rejected.most_common())
    return f": {reasons}" if reasons else ""


def _describe_differences(differences: dict[str, int]) -> str:
    if not differences:
        return "the counts are as published"
    counts = (f"{place} {abs(count)} {'more' if count > 0 else 'fewer'}" for place, count in differences.items())
    return f"the counts differ from the published ones: {', '.join(counts)}"


def _remove_unlisted(datasets: Collection[str]) -> None:
    """Remove the archives of other data sets: DVC hashes the folder data/archives, which must equal a fresh clone's."""
    for folder in ARCHIVES.iterdir():
        if folder.is_dir() and folder.name not in datasets:
            shutil.rmtree(folder)


if __name__ == "__main__":
    guard(main)
