"""Show what the data looks like → plots/explore/: its classes and its light; plots/faces/: strips of faces."""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.faces.table import Selection, open_faces, read_index
from stages.inspection.light import light, shares
from stages.inspection.samples import mean_face, most_copied, some
from stages.inspection.thumbnails import strip, write
from stages.params.general import General

RANDOM, REMOVED, COPIES = 10, 10, 6  # faces in a strip, at most


def main() -> None:
    seed = General.load().seed
    faces, copied_faces = open_faces(Path("data/merged/faces.npy")), open_faces(Path("data/augmented/faces.npy"))
    index, copies = read_index(Path("data/split/index.csv")), read_index(Path("data/augmented/index.csv"))
    removed = read_index(Path("data/clean/removed.csv"))
    if index.empty:
        raise InputError("data/split/index.csv: holds no face; add a data set, or remove less in clean")

    classes = index.groupby(["dataset", "split", "label"]).size().rename("faces").reset_index()
    classes = classes.rename(columns={"split": "part"})
    distributions = shares(light(Selection((faces, index["id"].to_numpy()))), index["dataset"])
    with atomic_output(Path("plots/explore")) as folder:
        folder.mkdir()
        classes.to_csv(folder / "classes.csv", index=False, lineterminator="\n")
        distributions.to_csv(folder / "light.csv", index=False, float_format="%.6g", lineterminator="\n")

    strips = []
    with atomic_output(Path("plots/faces")) as folder:
        folder.mkdir()

        def show(kind: str, name: str, shown: list[np.ndarray], of: int) -> None:
            file = f"{kind}-{name.replace(' ', '-')}.png"
            write(strip(shown), folder / file)
            strips.append((file, kind, name, len(shown), of))

        for label, rows in index.groupby("label"):
            show("random", label, list(faces[some(rows, RANDOM, seed)["id"]]), len(rows))
        for label, rows in index.groupby("label"):
            show("mean", label, [mean_face(Selection((faces, rows["id"].to_numpy())))], len(rows))
        for label, rows in copies.groupby("label"):
            rows = most_copied(rows)
            show("copies", label, [faces[rows["parent"].iloc[0]], *copied_faces[rows["id"][:COPIES]]], 1 + len(rows))
        for reason, rows in removed.groupby(removed["reason"].str.split(": ").str[0]):
            show("removed", reason, list(faces[some(rows, REMOVED, seed)["id"]]), len(rows))
        strips = pd.DataFrame(strips, columns=["file", "kind", "name", "shown", "of"])
        strips.to_csv(folder / "strips.csv", index=False, lineterminator="\n")
    print(f"{len(index)} faces of {index['dataset'].nunique()} data sets in {len(strips)} strips")


if __name__ == "__main__":
    guard(main)
