"""Faces that must stay on one side of a split: units within a data set, and groups of units that data sets share."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def components(count: int, pairs: np.ndarray) -> np.ndarray:
    """Return the connected component of each of `count` items that `pairs`, M×2, link; int, N, from 0."""
    links = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return connected_components(links, directed=False)[1]


def units(index: pd.DataFrame, pairs: np.ndarray) -> pd.Series:
    """Name the unit of each face: the faces of its data set that are linked with it, directly or through others.

    Two faces of one data set are linked if they share a subject or a sequence, or if they are near-duplicates. The
    faces of other data sets have no influence on a unit and its name.

    Args:
        index: N faces with the columns dataset, file, subject and sequence; "" names no subject and no sequence.
        pairs: int, M×2: the near-duplicates, as positions in `index`.

    Returns:
        N strings with the index's row labels, <dataset>/<subject, sequence or file>/<name>: the first name, in the
        order of the alphabet, of those that the faces of the unit have.
    """
    dataset = index["dataset"].to_numpy()
    links = [pairs[dataset[pairs[:, 0]] == dataset[pairs[:, 1]]]]
    name = "file/" + index["file"]
    for key in ("sequence", "subject"):
        named = index[key] != ""
        links.append(_links(index["dataset"] + "/" + index[key], named))
        name = name.mask(named, f"{key}/" + index[key])
    return (index["dataset"] + "/" + name).groupby(components(len(index), np.concatenate(links))).transform("min")


def groups(index: pd.DataFrame) -> np.ndarray:
    """Return the group of each face: the units that near-duplicates link, directly or through others.

    Args:
        index: N faces with the columns unit and cluster (of near-duplicates).

    Returns:
        int, N, from 0.
    """
    every = pd.Series(True, index=index.index)
    return components(len(index), np.concatenate([_links(index[key], every) for key in ("unit", "cluster")]))


def _links(values: pd.Series, named: pd.Series) -> np.ndarray:
    """Return pairs of positions, each a named face and the first face with the same value; int, M×2."""
    position = pd.Series(np.arange(len(values)))
    first = position.groupby(pd.factorize(values)[0]).transform("first")
    return np.stack([position, first], axis=1)[named.to_numpy()]
