"""The index of the faces that a demo archive will hold, known before any face is drawn."""

from pathlib import PurePosixPath

import pandas as pd

from stages.sources.drawing.shots import SHOTS

OFFICIAL = {
    "Train": "train", "Val": "test", "Training": "train", "PublicTest": "val", "PrivateTest": "test",
    "train": "train", "test": "test", "": "",
}  # fmt: skip


def demo_index(dataset: str, faces: int) -> pd.DataFrame:
    """Return one row per face of a demo archive, with the columns that splitting reads.

    Args:
        dataset: ck48, jaffe, sfew, fer2013 or rafdb.
        faces: about how many faces are drawn.

    Returns:
        The columns dataset, label, subject, sequence, official and cluster, as the data set's reader fills them;
        cluster, for near-duplicates, is "".
    """
    rows = []
    for shot in SHOTS[dataset](faces):
        film = PurePosixPath(shot.name).name.split("_")[0] if dataset == "sfew" else ""
        rows.append(
            {
                "dataset": dataset,
                "label": shot.emotion,
                "subject": shot.who if dataset in ("ck48", "jaffe") else "",
                "sequence": shot.sequence if dataset == "ck48" else film,
                "official": OFFICIAL[shot.part],
                "cluster": "",
            }
        )
    return pd.DataFrame(rows)
