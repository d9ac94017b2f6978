"""The index of a demo archive, computed without drawing its faces."""

from pathlib import PurePosixPath

import pandas as pd

from stages.sources.drawing.contents import IMAGE_LISTS

OFFICIAL = {
    "Train": "train", "Val": "test", "Training": "train", "PublicTest": "val", "PrivateTest": "test",
    "train": "train", "test": "test", "": "",
}  # fmt: skip


def demo_index(dataset: str, faces: int) -> pd.DataFrame:
    """Return one row per face of a demo archive, with the columns that splitting reads.

    Args:
        dataset: ck48, jaffe, sfew, fer2013 or rafdb.
        faces: approximate number of faces.

    Returns:
        The columns dataset, file, label, subject, sequence and official, as `merge` fills them.
    """
    rows = []
    for image in IMAGE_LISTS[dataset](faces):
        film = PurePosixPath(image.name).name.split("_")[0] if dataset == "sfew" else ""
        rows.append(
            {
                "dataset": f"drawn-{dataset}",
                "file": image.name,
                "label": image.emotion,
                "subject": image.person if dataset in ("ck48", "jaffe") else "",
                "sequence": image.sequence if dataset == "ck48" else film,
                "official": OFFICIAL[image.part],
            }
        )
    return pd.DataFrame(rows)
