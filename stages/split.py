"""Hold out the test part and divide the rest into folds, by whole groups → data/split/, metrics/split.json.

    python -m stages.split

data/split/index.csv lists the faces that cleaning has kept; data/split/removed.csv lists the others, with their groups.
Faces that data/exclude.csv lists are excluded only then, so that excluding one moves no other.
"""

from pathlib import Path

import pandas as pd

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.base.files import write_json
from stages.curation.dividing import divide
from stages.curation.exclusions import EXCLUDED, excluded_faces
from stages.curation.splitting import REMOVED, TEST, TRAIN, UNUSED
from stages.faces.table import read_index, write_index
from stages.params.data import Data
from stages.params.split import Split

COLUMNS = ("dataset", "file", "label", "official", "cluster", "unit")


def main() -> None:
    """Split the faces, and write those that cleaning has kept apart from those that it has removed."""
    settings, labels = Split.load(), set(Data.load().labels)
    kept = read_index(Path("data/clean/index.csv"), *COLUMNS)
    removed = read_index(Path("data/clean/removed.csv"), *COLUMNS, "reason")
    index = pd.concat([kept.assign(reason=""), removed], ignore_index=True)
    index = divide(index, settings)
    crossed = settings.protocol == "cross_validation"
    by_hand = excluded_faces(index, Path("data/exclude.csv"))
    index.loc[by_hand, "split"] = EXCLUDED
    if not crossed:  # otherwise excluded faces are tested, in their fold
        index.loc[by_hand, "fold"] = -1
    official = index.loc[index["official"] == "test", "dataset"].unique() if settings.by == "groups" else []
    gone = index["reason"] != ""
    index = index.drop(columns="reason")
    index, removed = index[~gone], index[gone].assign(split=REMOVED, fold=-1)

    for part in (TRAIN,) if crossed else (TRAIN, TEST):
        if missing := labels - set(index.loc[index["split"] == part, "label"]):
            print(f"the {part} part has no face with the label {' or '.join(sorted(missing))}")
    metrics = {"groups": index["group"].nunique()}
    for part in (TRAIN, TEST, UNUSED, EXCLUDED):
        counts = index.loc[index["split"] == part, "dataset"].value_counts().sort_index().to_dict()
        metrics[part] = counts
        if counts:
            details = ", ".join(f"{dataset}: {count}" for dataset, count in counts.items())
            print(f"{part}: {sum(counts.values())} faces ({details})")
    if settings.protocol == "held_out" and not settings.test_on:
        drawn = index[~index["dataset"].isin(official)]
        shares = (drawn["split"] == TEST).groupby(drawn["dataset"]).mean().round(6).to_dict()
        metrics["held_out"] = shares
        for dataset, share in shares.items():
            print(f"{dataset}: {share:.1%} of the faces are held out")
    with atomic_output(Path("data/split")) as folder:
        folder.mkdir()
        write_index(index, folder / "index.csv")
        write_index(removed, folder / "removed.csv")
    write_json(metrics, Path("metrics/split.json"))


if __name__ == "__main__":
    guard(main)
