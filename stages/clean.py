"""Take out duplicates, conflicts and pictures that show nothing → data/clean/: what stays, and what went and why."""

import json
from pathlib import Path

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.curation.cleaning import BY_HAND, defects, reasons
from stages.curation.exclusions import excluded
from stages.curation.near_duplicates import components, contrast, near_pairs
from stages.faces.table import open_faces, read_index, write_index
from stages.params.clean import Clean


def main() -> None:
    settings = Clean.load()
    faces = open_faces(Path("data/merged/faces.npy"))
    index = read_index(Path("data/merged/index.csv"))

    spread = contrast(faces)
    pairs = near_pairs(faces, settings.near_distance, settings.near_correlation)
    shows = spread >= settings.min_contrast
    index["cluster"] = components(len(index), pairs[shows[pairs].all(axis=1)])
    by_hand = excluded(index, Path("data/exclude.csv"))
    reason = reasons(index, by_hand != "", spread, settings.min_contrast, settings.whole_test)
    removed = index.assign(reason=reason.where(reason != BY_HAND, reason + ": " + by_hand))[reason != ""]
    if len(removed) == len(index):
        raise InputError(f"clean: every one of the {len(index)} faces would be removed; lower clean.min_contrast")

    counts = {name: {"faces": len(rows), **defects(rows)} for name, rows in index.groupby("dataset", sort=False)}
    for name, rows in counts.items():
        rows["removed"] = reason[(index["dataset"] == name) & (reason != "")].value_counts().sort_index().to_dict()
        rows["kept"] = rows["faces"] - sum(rows["removed"].values())
        print(f"{name}: {rows['kept']} of {rows['faces']} faces kept, removed {rows['removed'] or 'none'}")
        if rows.get("test_faces_also_in_train"):
            print(f"{name}: {rows['test_faces_also_in_train']} of its test pictures stand in its training part too")

    with atomic_output(Path("data/clean")) as folder:
        folder.mkdir()
        write_index(index[reason == ""], folder / "index.csv")
        columns = ["id", "dataset", "file", "label", "official", "cluster", "reason"]
        write_index(removed[columns], folder / "removed.csv")
    with atomic_output(Path("metrics/clean.json")) as file:
        file.write_text(json.dumps(counts, indent=2) + "\n")


if __name__ == "__main__":
    guard(main)
