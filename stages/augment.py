"""Balance the classes of the training pool by distorted copies → data/augmented/: the copies and their parents."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.curation.balancing import distort, plan
from stages.faces.table import open_faces, read_index, write_index
from stages.params.augment import Augment
from stages.params.general import General


def main() -> None:
    settings, seed = Augment.load(), General.load().seed
    faces = open_faces(Path("data/merged/faces.npy"))
    index = read_index(Path("data/split/index.csv"))
    pool = index[index["split"] == "train"]
    copies = plan(pool, settings.balance, seed)
    with atomic_output(Path("data/augmented")) as folder:
        folder.mkdir()
        shape = (len(copies), *faces.shape[1:])
        augmented = np.lib.format.open_memmap(folder / "faces.npy", mode="w+", dtype=np.uint8, shape=shape)
        for row, parent in enumerate(tqdm(copies["parent"], "augment", unit=" faces", disable=None)):
            augmented[row] = distort(faces[parent], np.random.default_rng([seed, row]), settings.strength)
        augmented.flush()
        write_index(copies, folder / "index.csv")
    print(f"{len(pool)} faces and {len(copies)} copies of them in the training pool")


if __name__ == "__main__":
    guard(main)
