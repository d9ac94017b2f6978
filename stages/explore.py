"""Describe the data: tables of classes, brightness and sharpness → plots/explore/; strips of faces → plots/faces/.

python -m stages.explore
"""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.faces.table import SPLIT_COLUMNS, Selection, open_faces, read_index
from stages.inspection.light import brightness_and_sharpness, histograms
from stages.inspection.samples import mean_face, most_copied, sample_rows
from stages.inspection.thumbnails import strip, write_png
from stages.params.general import General

RANDOM, REMOVED, COPIES = 10, 10, 6  # faces in a strip, at most


def main() -> None:
    """Write the tables and the strips."""
    seed = General.load().seed
    index, copies = (
        read_index(Path("data/split/index.csv"), *SPLIT_COLUMNS),
        read_index(Path("data/augmented/index.csv"), "parent", "label"),
    )
    removed = read_index(Path("data/clean/removed.csv"), "reason")
    faces = open_faces(Path("data/merged/faces.npy"), index, removed)
    copied_faces = open_faces(Path("data/augmented/faces.npy"), copies)
    by_hand = index["split"] == "excluded"
    removed = pd.concat([removed, index[by_hand].assign(reason="excluded by hand")])
    index = index[~by_hand]
    if index.empty:
        raise InputError("data/split/index.csv has no faces; add a data set, or lower clean.min_contrast")

    classes = index.groupby(["dataset", "split", "label"]).size().rename("faces").reset_index()
    classes = classes.rename(columns={"split": "part"})
    measured = brightness_and_sharpness(Selection((faces, index["id"].to_numpy())))
    distributions = histograms(measured, index["dataset"])
    with atomic_output(Path("plots/explore")) as folder:
        folder.mkdir()
        classes.to_csv(folder / "classes.csv", index=False, lineterminator="\n")
        distributions.to_csv(folder / "light.csv", index=False, float_format="%.6g", lineterminator="\n")

    strips = []
    with atomic_output(Path("plots/faces")) as folder:
        folder.mkdir()

        def add_strip(kind: str, name: str, images: list[np.ndarray], available: int) -> None:
            file = f"{kind}-{name.replace(' ', '-')}.png"
            write_png(strip(images), folder / file)
            strips.append((file, kind, name, len(images), available))

        for label, rows in index.groupby("label"):
            add_strip("random", label, list(faces[sample_rows(rows, RANDOM, seed)["id"]]), len(rows))
        for label, rows in index.groupby("label"):
            add_strip("mean", label, [mean_face(Selection((faces, rows["id"].to_numpy())))], len(rows))
        for label, rows in copies.groupby("label"):
            family = most_copied(rows)
            images = [faces[family["parent"].iloc[0]], *copied_faces[family["id"][:COPIES]]]
            add_strip("copies", label, images, 1 + len(family))
        for reason, rows in removed.groupby("reason"):
            add_strip("removed", reason, list(faces[sample_rows(rows, REMOVED, seed)["id"]]), len(rows))
        table = pd.DataFrame(strips, columns=["file", "kind", "name", "shown", "of"])
        table.to_csv(folder / "strips.csv", index=False, lineterminator="\n")
    print(f"{len(strips)} strips from {len(index)} faces of {index['dataset'].nunique()} data sets")


if __name__ == "__main__":
    guard(main)
