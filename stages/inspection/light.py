"""Brightness and sharpness of faces, and their distributions."""

import cv2
import numpy as np
import pandas as pd

from stages.base.progress import progress
from stages.faces.table import Selection

BLOCK = 1024  # faces in memory at once
BIN_WIDTHS = {"brightness": 8.0, "sharpness": 0.1}


def brightness_and_sharpness(faces: Selection) -> pd.DataFrame:
    """Compute the brightness and the sharpness of each face.

    Sharpness is log10(1 + variance of the Laplacian) (J. Pech-Pacheco et al., Diatom autofocusing in brightfield
    microscopy, ICPR 2000). Blur divides the variance by a factor, so its logarithm is the evenly spread quantity.

    Args:
        faces: uint8, N×H×W or N×H×W×3.

    Returns:
        N rows with the columns brightness (mean grey level, 0 to 255) and sharpness (0 to about 6).
    """
    rows = []
    for start in progress(range(0, len(faces), BLOCK), "brightness and sharpness", unit=" blocks"):
        for face in faces[start : start + BLOCK]:
            grey = face if face.ndim == 2 else cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
            _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
            rows.append((grey.mean(), np.log10(1 + deviation.item() ** 2)))
    return pd.DataFrame(rows, columns=list(BIN_WIDTHS))


def histograms(measured: pd.DataFrame, dataset: pd.Series) -> pd.DataFrame:
    """Compute the distribution of each quantity in each data set.

    Args:
        measured: N faces with the columns brightness and sharpness.
        dataset: N names of data sets.

    Returns:
        One row per data set, quantity and bin: dataset, quantity, value (the bin's centre) and share (of the data
        set's faces in the bin, 0 to 1). All data sets have the same bins, from the lowest to the highest in use.
    """
    tables = []
    for quantity, width in BIN_WIDTHS.items():
        bins = np.floor(measured[quantity] / width).astype(int)
        table = pd.crosstab(dataset.to_numpy(), bins.to_numpy(), normalize="index")
        table = table.reindex(columns=range(bins.min(), bins.max() + 1), fill_value=0.0)
        table = table.rename_axis(index="dataset", columns="bin").stack().rename("share").reset_index()
        tables.append(table.assign(quantity=quantity, value=(table["bin"] + 0.5) * width))
    return pd.concat(tables)[["dataset", "quantity", "value", "share"]]
