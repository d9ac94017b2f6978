"""Hold out the test part and deal the rest into folds, leak-free → data/split/index.csv."""

import json
from pathlib import Path

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.curation.splitting import TEST, TRAIN, UNUSED, cross_validation, held_out
from stages.faces.table import read_index, write_index
from stages.params.data import Data
from stages.params.split import Split


def main() -> None:
    settings = Split.load()
    index = read_index(Path("data/clean/index.csv"))
    if settings.protocol == "held_out":
        index = held_out(index, settings.folds, settings.test_share, settings.seed)
    else:
        index = cross_validation(index, settings.folds, settings.seed)
    for part in (TRAIN, TEST) if settings.protocol == "held_out" else (TRAIN,):
        if missing := set(Data.load().labels) - set(index.loc[index["split"] == part, "label"]):
            print(f"no face in the {part} part is labelled {', '.join(sorted(missing))}")

    counts = {"groups": index["group"].nunique()}
    for part in (TRAIN, TEST, UNUSED):
        counts[part] = index.loc[index["split"] == part, "dataset"].value_counts().sort_index().to_dict()
        if counts[part]:
            print(f"{part}: {sum(counts[part].values())} faces {counts[part]}")
    with atomic_output(Path("data/split/index.csv")) as file:
        write_index(index, file)
    with atomic_output(Path("metrics/split.json")) as file:
        file.write_text(json.dumps(counts, indent=2) + "\n")


if __name__ == "__main__":
    guard(main)
