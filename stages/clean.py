"""Remove duplicates, conflicting labels and near-constant images → data/clean/, metrics/clean.json.

    python -m stages.clean

data/clean/index.csv lists the faces that are kept; data/clean/removed.csv lists the others, each with the reason. Both
name the unit of each face (see stages/curation/groups.py), its perceptual hash, and its cluster of near-duplicates.
"""

from pathlib import Path

import numpy as np

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.base.files import write_json
from stages.curation.cleaning import count_defects, removal_reasons
from stages.curation.groups import components, units
from stages.curation.near_duplicates import contrast, near_duplicate_pairs, perceptual_hashes
from stages.curation.transformed_copies import transformed_pairs
from stages.faces.table import open_faces, read_index, write_index
from stages.params.clean import Clean

COLUMNS = ("dataset", "file", "label", "subject", "sequence", "official", "sha256")


def main() -> None:
    """Clean the merged faces."""
    settings = Clean.load()
    index = read_index(Path("data/merged/index.csv"), *COLUMNS)
    faces = open_faces(Path("data/merged/faces.npy"), index)
    if len(index) != len(faces):
        raise InputError(
            f"data/merged: has {len(faces)} faces, but an index of {len(index)}; run the stage merge again"
        )

    contrasts = contrast(faces)
    hashes = perceptual_hashes(faces)
    near = near_duplicate_pairs(faces, hashes, settings.near_distance, settings.near_correlation)
    pairs = np.concatenate([near, transformed_pairs(faces)])
    pairs = pairs[(contrasts >= settings.min_contrast)[pairs].all(axis=1)]
    index["cluster"] = components(len(index), pairs)
    index["unit"] = units(index, pairs)
    index["phash"] = [value.tobytes().hex() for value in hashes]
    reason = removal_reasons(index, contrasts, settings)
    if (reason != "").all():
        raise InputError(f"clean: all {len(index)} faces would be removed; lower clean.min_contrast")

    metrics = {}
    for name, rows in index.groupby("dataset", sort=False):
        defects = count_defects(rows)
        reasons = reason[rows.index]
        counts = reasons[reasons != ""].value_counts().sort_index().to_dict()
        kept = len(rows) - sum(counts.values())
        metrics[name] = {"faces": len(rows), **defects, "removed": counts, "kept": kept}
        details = ", ".join(f"{rule}: {count}" for rule, count in counts.items())
        print(
            f"{name}: {kept} of {len(rows)} faces kept"
            + (f", {len(rows) - kept} removed ({details})" if details else "")
        )
        if also_in_train := defects.get("test_faces_also_in_train"):
            print(f"{name}: test faces that are also in the official training part: {also_in_train}")

    with atomic_output(Path("data/clean")) as folder:
        folder.mkdir()
        write_index(index[reason == ""], folder / "index.csv")
        write_index(index.assign(reason=reason)[reason != ""], folder / "removed.csv")
    write_json(metrics, Path("metrics/clean.json"))


if __name__ == "__main__":
    guard(main)
