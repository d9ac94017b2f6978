"""Units and groups: what links faces, and that units depend on their own data set alone."""

import numpy as np
import pandas as pd

from stages.curation.groups import groups, units

INDEX = pd.DataFrame({
    "dataset": ["a", "a", "a", "a", "b", "b", "b"],
    "file": list("tuvwxyz"),
    "subject": ["S2", "S2", "S1", "", "", "", "S1"],
    "sequence": ["", "q", "q", "", "r", "r", ""],
})  # fmt: skip


def test_units_follow_links_of_links_within_a_data_set():
    names = ["a/subject/S1", "a/subject/S1", "a/subject/S1", "a/file/w", "b/sequence/r", "b/sequence/r", "b/subject/S1"]
    assert list(units(INDEX, np.empty((0, 2), int))) == names
    names[5] = names[4] = names[6] = "b/sequence/r"
    assert list(units(INDEX, np.array([[5, 6]]))) == names


def test_another_data_set_links_no_units_but_groups():
    pairs = np.array([[2, 4], [3, 4]])  # through a face of b
    apart = units(INDEX, np.empty((0, 2), int))
    assert list(units(INDEX, pairs)) == list(apart)
    index = INDEX.assign(unit=apart, cluster=["1", "2", "3", "3", "3", "4", "5"])
    assert list(groups(index)) == [0, 0, 0, 0, 0, 0, 1]


def test_units_keep_their_names_in_another_order():
    pairs = np.array([[5, 6]])
    order = np.array([6, 2, 4, 0, 5, 1, 3])
    position = np.argsort(order)
    moved = units(INDEX.iloc[order].reset_index(drop=True), position[pairs])
    assert list(moved) == list(units(INDEX, pairs).iloc[order])
