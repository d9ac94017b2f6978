"""Balance the classes of the training pool with augmented copies → data/augmented/.

    python -m stages.augment

data/augmented/faces.npy holds the copies; data/augmented/index.csv names the parent of each.
"""

from pathlib import Path

import numpy as np

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.base.progress import progress
from stages.curation.balancing import augment_face, plan_copies
from stages.faces.table import SPLIT_COLUMNS, open_faces, read_index, write_faces, write_index
from stages.params.augment import Augment
from stages.params.general import General


def main() -> None:
    """Write the copies of the training pool."""
    settings, seed = Augment.load(), General.load().seed
    index = read_index(Path("data/split/index.csv"), *SPLIT_COLUMNS)
    faces = open_faces(Path("data/merged/faces.npy"), index)
    pool = index[index["split"] == "train"]
    copies = plan_copies(pool, settings.balance, seed)
    with atomic_output(Path("data/augmented")) as folder:
        folder.mkdir()
        augmented = (
            augment_face(faces[parent], np.random.default_rng([seed, row]), settings.strength)
            for row, parent in enumerate(progress(copies["parent"], "augment", unit=" faces"))
        )
        write_faces(augmented, (len(copies), *faces.shape[1:]), folder / "faces.npy")
        write_index(copies, folder / "index.csv")
    print(f"training pool: {len(pool)} faces and {len(copies)} augmented copies")


if __name__ == "__main__":
    guard(main)
