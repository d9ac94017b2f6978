"""Hold out the test part and divide the rest into folds, without leaks → data/split/index.csv, metrics/split.json.

python -m stages.split
"""

from pathlib import Path

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.base.files import write_json
from stages.curation.splitting import TEST, TRAIN, UNUSED, cross_validation, held_out
from stages.faces.table import read_index, write_index
from stages.params.data import Data
from stages.params.split import Split


def main() -> None:
    """Split the clean faces."""
    settings, labels = Split.load(), set(Data.load().labels)
    index = read_index(Path("data/clean/index.csv"))
    if settings.protocol == "held_out":
        index = held_out(index, settings.folds, settings.test_share, settings.seed)
    else:
        index = cross_validation(index, settings.folds, settings.seed)
    for part in (TRAIN, TEST) if settings.protocol == "held_out" else (TRAIN,):
        if missing := labels - set(index.loc[index["split"] == part, "label"]):
            print(f"the {part} part has no face with the label {' or '.join(sorted(missing))}")

    metrics = {"groups": index["group"].nunique()}
    for part in (TRAIN, TEST, UNUSED):
        counts = index.loc[index["split"] == part, "dataset"].value_counts().sort_index().to_dict()
        metrics[part] = counts
        if counts:
            details = ", ".join(f"{dataset}: {count}" for dataset, count in counts.items())
            print(f"{part}: {sum(counts.values())} faces ({details})")
    with atomic_output(Path("data/split/index.csv")) as file:
        write_index(index, file)
    write_json(metrics, Path("metrics/split.json"))


if __name__ == "__main__":
    guard(main)
