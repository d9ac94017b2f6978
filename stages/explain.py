"""Show examples of predictions, activation maps and augmented faces → plots/explained/.

python -m stages.explain
"""

from pathlib import Path

import pandas as pd
import torch

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.base.tables import read_table
from stages.faces.subsets import subsets_of
from stages.faces.table import SPLIT_COLUMNS, open_faces, read_index
from stages.inspection.cam import activation_maps, overlay
from stages.inspection.examples import select_examples
from stages.inspection.thumbnails import thumbnail, write_png
from stages.models import hardware
from stages.models.preprocessing import Inputs
from stages.models.saved_model import load
from stages.training.augmentation import augmented_examples

MISTAKES, AUGMENTED = 24, 7  # images, at most


def main() -> None:
    """Write the images and faces.csv, the table that names them."""
    network, config = load(Path("data/model"))
    labels = config["labels"]
    columns = {"id": int, "dataset": str, "label": labels, "prediction": labels, **dict.fromkeys(labels, float)}
    predictions = read_table(Path("data/predictions/test.csv"), columns)
    if predictions.empty:
        raise InputError("data/predictions/test.csv has no faces; raise split.test_share")
    index = read_index(Path("data/split/index.csv"), *SPLIT_COLUMNS)
    training = subsets_of(config, index).train
    if training.empty:
        raise InputError("data/split/index.csv has no training faces; run the earlier stages again")
    faces = open_faces(Path("data/merged/faces.npy"), index, predictions)

    hardware.deterministic(config["seed"])  # on the CPU: a few dozen faces need no GPU
    table = select_examples(predictions, labels, MISTAKES)
    table["face"] = [f"face-{number}.png" for number in table["id"]]
    table["map"] = ("map-" + table["id"].astype(str) + ".png").where(table["kind"] != "grid", "")
    mapped = table[table["map"] != ""].drop_duplicates("id")
    images = Inputs(**config["inputs"])(torch.as_tensor(faces[mapped["id"].to_numpy()]))
    maps = activation_maps(network, images, [labels.index(prediction) for prediction in mapped["prediction"]])

    example = training.sample(1, random_state=config["seed"]).iloc[0]
    strength = config["recipe"]["strength"]
    augmented = augmented_examples(thumbnail(faces[example["id"]]), AUGMENTED, strength, config["seed"])
    files = [f"distorted-{number}.png" for number in range(len(augmented))]
    rows = pd.DataFrame({"kind": "distorted", "id": example["id"], "face": files})
    rows = rows.assign(dataset=example["dataset"], label=example["label"])
    table = pd.concat([table, rows], ignore_index=True)

    with atomic_output(Path("plots/explained")) as folder:
        folder.mkdir()
        for number in table.loc[table["kind"] != "distorted", "id"].unique():
            write_png(thumbnail(faces[number]), folder / f"face-{number}.png")
        for number, activation in zip(mapped["id"], maps, strict=True):
            write_png(overlay(thumbnail(faces[number]), activation), folder / f"map-{number}.png")
        for image, file in zip(augmented, files, strict=True):
            write_png(image, folder / file)
        table.to_csv(folder / "faces.csv", index=False, float_format="%.6f", lineterminator="\n")
    mistakes = (predictions["label"] != predictions["prediction"]).sum()
    print(f"{mistakes} of {len(predictions)} test faces are misclassified; activation maps of {len(mapped)} faces")


if __name__ == "__main__":
    guard(main)
