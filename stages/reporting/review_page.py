"""The review page: faces whose label may be wrong, and the lines that exclude the ticked ones."""

import numpy as np
import pandas as pd

from stages.curation.exclusions import COLUMNS
from stages.reporting.images import thumbnail_uri
from stages.reporting.page import render_page

SIDE = 96  # pixels; larger faces are reduced


def render_review(rows: pd.DataFrame, faces: np.ndarray, total: int) -> str:
    """Return the review page as a complete HTML document.

    Args:
        rows: N rows with the columns dataset, file, label, suggested (the most probable label), probability (of that
            label, 0 to 1) and reason (for the exclusion).
        faces: the same faces, uint8, N×H×W or N×H×W×3.
        total: the number of labels that may be wrong, whether they are on the page or not.
    """
    lines = rows[COLUMNS].to_csv(header=False, index=False, lineterminator="\n").split("\n")[:-1]
    shown = [
        {"line": line, "image": thumbnail_uri(face, SIDE), **row}
        for row, line, face in zip(rows.to_dict("records"), lines, faces, strict=True)
    ]
    return render_page("review", {"faces": shown, "total": total})
