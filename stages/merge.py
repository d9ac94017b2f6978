"""Read every archive, crop and resize its faces, harmonise its labels → data/merged/: one table of faces."""

import json
import shutil
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from stages import params
from stages.datasets.reading import read_faces
from stages.errors import guard
from stages.faces.picture import Rejected
from stages.faces.writer import TableWriter
from stages.whole import whole

ARCHIVES = Path("data/archives")


def main() -> None:
    p = params.load()
    _forget_unlisted(p.data.datasets)
    sources = {}
    with whole(Path("data/merged")) as folder:
        folder.mkdir()
        with TableWriter(folder, p.data.size, p.data.channels) as table:
            for dataset in p.data.datasets:
                source = json.loads((ARCHIVES / dataset / "source.json").read_text())
                name = f"drawn-{dataset}" if source["drawn"] else dataset  # so that every later figure says so
                sources[name] = source
                items = read_faces(dataset, ARCHIVES / dataset, p.data.labels, p.data.size, p.data.channels)
                counts = Counter()
                for item in tqdm(items, name, unit=" faces", disable=None):
                    table.append(name, item)
                    counts[item.reason if isinstance(item, Rejected) else "faces"] += 1
                print(f"{name}:", ", ".join(f"{count} {what}" for what, count in counts.items()))
        (folder / "sources.json").write_text(json.dumps(sources, indent=2, sort_keys=True) + "\n")


def _forget_unlisted(datasets: list[str]) -> None:
    """Remove what left `data.datasets`: DVC hashes data/archives as it finds it, and this must equal a fresh clone."""
    for folder in ARCHIVES.iterdir():
        if folder.is_dir() and folder.name not in datasets:
            shutil.rmtree(folder)


if __name__ == "__main__":
    guard(main)
