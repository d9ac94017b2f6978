"""The sheet of doubtful faces: one HTML file, on which lines for the list of excluded faces are ticked."""

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment
from PIL import Image

from stages.curation.exclusions import COLUMNS

LARGEST = 96  # side in pixels of a face as it is shown

TEMPLATE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
    (Path(__file__).parent / "templates/review.html.jinja").read_text(encoding="utf-8")
)


def sheet(rows: pd.DataFrame, faces: np.ndarray, found: int) -> str:
    """The page on which each of `faces` (uint8, N×H×W or N×H×W×3) stands with what is doubted of it.

    `rows` tell of the same faces: dataset, file, label, suggested, its probability (0 to 1), and the reason to exclude
    them. `found` is how many doubtful faces there are, shown or not.
    """
    lines = rows[COLUMNS].to_csv(header=False, index=False, lineterminator="\n").split("\n")
    return TEMPLATE.render(faces=list(zip(rows.itertuples(), lines, map(_png, faces))), found=found)


def _png(face: np.ndarray) -> str:
    """The face as PNG, in base64."""
    picture, file = Image.fromarray(face), io.BytesIO()
    picture.thumbnail((LARGEST, LARGEST))
    picture.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
