"""The faces of a run: which folds train, validate and rank under each protocol."""

import pandas as pd
import pytest

from stages.faces.subsets import Subsets, subsets


def index(protocol: str, folds: int = 5) -> pd.DataFrame:
    """Two faces per fold, of which the second is excluded in fold 1; a test part and an unused face if held out."""
    rows = [("train", fold) for fold in range(folds) for _ in range(2)]
    rows[3] = ("excluded", 1 if protocol == "cross_validation" else -1)
    if protocol == "held_out":
        rows += [("test", -1), ("test", -1), ("unused", -1)]
    return pd.DataFrame(rows, columns=["split", "fold"]).assign(dataset="ck48", label="fear").reset_index(names="id")


def folds_of(run: Subsets) -> dict[str, list[int]]:
    """The folds of each subset, each once, in order."""
    return {name: sorted(set(getattr(run, name)["fold"])) for name in ("train", "validation", "test", "out_of_fold")}


@pytest.mark.parametrize(("protocol", "ranked", "validation_folds", "expected"), [
    ("held_out", False, 1, {"train": [0, 1, 2, 3], "validation": [4], "test": [-1], "out_of_fold": []}),
    ("held_out", False, 2, {"train": [1, 2, 3], "validation": [0, 4], "test": [-1], "out_of_fold": []}),
    ("held_out", True, 1, {"train": [1, 2, 3], "validation": [0], "test": [-1], "out_of_fold": [4]}),
    ("held_out", True, 2, {"train": [2, 3], "validation": [0, 1], "test": [-1], "out_of_fold": [4]}),
    ("cross_validation", False, 1, {"train": [1, 2, 3], "validation": [0], "test": [4], "out_of_fold": [4]}),
    ("cross_validation", True, 3, {"train": [3], "validation": [0, 1, 2], "test": [4], "out_of_fold": [4]}),
])  # fmt: skip
def test_each_fold_has_one_part(protocol: str, ranked: bool, validation_folds: int, expected: dict[str, list[int]]):
    faces = index(protocol)
    run = subsets(faces, 4, validation_folds=validation_folds, ranked=ranked)
    assert folds_of(run) == expected
    assert len(run.test) == 2


@pytest.mark.parametrize("ranked", [False, True])
@pytest.mark.parametrize("protocol", ["held_out", "cross_validation"])
def test_every_face_ranks_once_and_an_excluded_one_neither_trains_nor_validates(protocol: str, ranked: bool):
    faces = index(protocol)
    runs = [subsets(faces, fold, ranked=ranked) for fold in range(5)]
    for run in runs:
        assert not run.train["id"].isin(run.validation["id"]).any()
        assert not run.out_of_fold["id"].isin([*run.train["id"], *run.validation["id"]]).any()
        assert 3 not in [*run.train["id"], *run.validation["id"]]
    ranking = sorted(number for run in runs for number in run.out_of_fold["id"])
    if protocol == "cross_validation":
        assert ranking == list(range(10))  # an excluded face is still tested
    else:
        assert ranking == ([number for number in range(10) if number != 3] if ranked else [])


def test_a_run_on_one_data_set_ranks_by_the_labels_that_it_knows():
    faces = index("held_out")
    faces.loc[faces["id"] % 2 == 1, "dataset"] = "sfew"
    faces.loc[faces["id"] == 8, "label"] = "happy"  # the only one
    run = subsets(faces, 4, "ck48", ranked=True)
    assert set(run.train["dataset"]) == {"ck48"} and run.out_of_fold.empty
    assert list(subsets(faces, 3, "ck48", ranked=True).out_of_fold["id"]) == [6]
