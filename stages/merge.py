"""Read every archive, crop and resize its faces, harmonise its labels → data/merged/: one table of faces."""

import json
import shutil
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.datasets.picture import Rejected
from stages.datasets.published import differences
from stages.datasets.reading import read_faces
from stages.datasets.writer import TableWriter
from stages.params.data import Data

ARCHIVES = Path("data/archives")


def main() -> None:
    data = Data.load()
    for dataset in data.datasets:
        if not (ARCHIVES / dataset / "source.json").exists():
            raise InputError(f"{ARCHIVES / dataset}: holds no archive; run `dvc repro download@{dataset}`")
    _forget_unlisted(data.datasets)
    sources, metrics = {}, {}
    with atomic_output(Path("data/merged")) as folder:
        folder.mkdir()
        with TableWriter(folder, data.size, data.channels) as table:
            for dataset in data.datasets:
                source = json.loads((ARCHIVES / dataset / "source.json").read_text())
                name = f"drawn-{dataset}" if source["drawn"] else dataset  # so that every later figure says so
                sources[name] = source
                faces, rejected = Counter(), Counter()
                items = read_faces(dataset, ARCHIVES / dataset, data.labels, data.size, data.channels)
                for item in tqdm(items, name, unit=" faces", disable=None):
                    table.append(name, item)
                    if isinstance(item, Rejected):
                        rejected[item.reason] += 1
                    else:
                        faces[item.official, item.label] += 1
                metrics[name] = {"faces": faces.total(), "rejected": dict(rejected)}
                print(f"{name}: {faces.total()} faces, {rejected.total()} rejected {dict(rejected) or ''}")
                if not source["drawn"]:
                    differing = differences(dataset, faces, data.labels)
                    metrics[name]["more_than_published"] = differing
                    print(f"{name}: {f'not as published: {differing}' if differing else 'counts are as published'}")
        _write_json(folder / "sources.json", sources)
    with atomic_output(Path("metrics/merge.json")) as file:
        _write_json(file, metrics)


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")


def _forget_unlisted(datasets: list[str]) -> None:
    """Remove what left `data.datasets`: DVC hashes data/archives as it finds it, and this must equal a fresh clone."""
    for folder in ARCHIVES.iterdir():
        if folder.is_dir() and folder.name not in datasets:
            shutil.rmtree(folder)


if __name__ == "__main__":
    guard(main)
