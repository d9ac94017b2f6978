"""How bright and how sharp faces are."""

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from stages.faces.table import Selection

BLOCK = 1024  # faces that are in memory at once
WIDTHS = {"brightness": 8.0, "sharpness": 0.1}  # of a bin


def light(faces: Selection) -> pd.DataFrame:
    """The columns brightness and sharpness, a row a face. `faces`: uint8, N×H×W or N×H×W×3.

    Brightness is the mean grey level, 0 to 255. Sharpness is the variance of the Laplacian (Pech-Pacheco et al., 2000)
    as log10(1 + variance), 0 to about 6: a blur divides the variance, so that only its logarithm spreads evenly.
    """
    rows = []
    for at in tqdm(range(0, len(faces), BLOCK), "light", unit=" blocks", disable=None):
        for face in faces[at : at + BLOCK]:
            grey = face if face.ndim == 2 else cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
            _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
            rows.append((grey.mean(), np.log10(1 + deviation.item() ** 2)))
    return pd.DataFrame(rows, columns=list(WIDTHS))


def shares(measured: pd.DataFrame, dataset: pd.Series) -> pd.DataFrame:
    """The distribution of each column of `measured` in each data set: dataset, quantity, value, share.

    A row a bin: `value` is its centre and `share`, 0 to 1, that of the data set's faces in it. The bins of a quantity
    are the same for all data sets, from the lowest to the highest that holds a face of any.
    """
    tables = []
    for quantity, width in WIDTHS.items():
        bins = np.floor(measured[quantity] / width).astype(int)
        table = pd.crosstab(dataset.to_numpy(), bins.to_numpy(), normalize="index")
        table = table.reindex(columns=range(bins.min(), bins.max() + 1), fill_value=0.0)
        table = table.rename_axis(index="dataset", columns="bin").stack().rename("share").reset_index()
        tables.append(table.assign(quantity=quantity, value=(table["bin"] + 0.5) * width))
    return pd.concat(tables)[["dataset", "quantity", "value", "share"]]
