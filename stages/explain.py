"""Show what the model sees: its surest hits and mistakes, where it looks, what it trained on → plots/explained/."""

from pathlib import Path

import pandas as pd
import torch

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.faces.subsets import subsets
from stages.faces.table import open_faces, read_index
from stages.inspection.cam import maps, overlay
from stages.inspection.examples import chosen
from stages.inspection.thumbnails import small, write
from stages.models import hardware
from stages.models.preprocessing import Inputs
from stages.models.saved_model import load
from stages.training.augmentation import distorted

MISTAKES, DISTORTIONS = 24, 7


def main() -> None:
    network, config = load(Path("data/model"))
    labels = config["labels"]
    predictions = pd.read_csv("data/predictions/test.csv", keep_default_na=False)
    if predictions.empty:
        raise InputError("data/predictions/test.csv: holds no test face; raise split.test_share")
    if unknown := {*predictions["label"], *predictions["prediction"]} - set(labels):
        raise InputError(f"data/predictions/test.csv: {min(unknown)!r} is no label of data/model; evaluate it again")
    index = read_index(Path("data/split/index.csv"))
    training = subsets(index, config["fold"]).train
    if training.empty:
        raise InputError("data/split/index.csv: holds no face to train on; run the earlier stages again")
    faces = open_faces(Path("data/merged/faces.npy"))

    hardware.deterministic(config["seed"])  # on the CPU: these few dozen faces need no GPU
    table = chosen(predictions, labels, MISTAKES)
    table["face"] = [f"face-{number}.png" for number in table["id"]]
    table["map"] = [f"map-{number}.png" if kind != "grid" else "" for kind, number in zip(table["kind"], table["id"])]
    mapped = table[table["map"] != ""].drop_duplicates("id")
    images = Inputs(**config["inputs"])(torch.as_tensor(faces[mapped["id"].to_numpy()]))
    cams = maps(network, images, [labels.index(prediction) for prediction in mapped["prediction"]])

    one = training.sample(1, random_state=config["seed"]).iloc[0]
    pictures = distorted(small(faces[one["id"]]), DISTORTIONS, config["recipe"]["strength"], config["seed"])
    files = [f"distorted-{number}.png" for number in range(len(pictures))]
    same = {"kind": "distorted", "id": one["id"], "dataset": one["dataset"], "label": one["label"]}
    table = pd.concat([table, pd.DataFrame({"face": files}).assign(**same)], ignore_index=True)

    with atomic_output(Path("plots/explained")) as folder:
        folder.mkdir()
        for number in table.loc[table["kind"] != "distorted", "id"].unique():
            write(small(faces[number]), folder / f"face-{number}.png")
        for number, cam in zip(mapped["id"], cams):
            write(overlay(small(faces[number]), cam), folder / f"map-{number}.png")
        for picture, file in zip(pictures, files):
            write(picture, folder / file)
        table.to_csv(folder / "faces.csv", index=False, float_format="%.6f", lineterminator="\n")
    mistakes = (predictions["label"] != predictions["prediction"]).sum()
    print(f"{mistakes} of {len(predictions)} test faces are mistaken; where the model looks is shown for {len(mapped)}")


if __name__ == "__main__":
    guard(main)
