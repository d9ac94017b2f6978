"""The faces that a run trains and validates on, from its command line."""

import numpy as np
import pandas as pd
import pytest

from helpers.project import Project
from helpers.trainable import write_tree
from stages.base.errors import InputError
from stages.faces.table import open_faces, read_index
from stages.training.dataset import select_faces
from stages.training.run import parse_run


@pytest.mark.parametrize(("options", "validation_folds", "validating", "left_out"), [
    ([], 1, {4}, set()), ([], 2, {4, 0}, set()), (["--ranked"], 1, {0}, {4}), (["--ranked"], 2, {0, 1}, {4}),
])  # fmt: skip
def test_a_ranked_run_neither_trains_nor_validates_on_its_fold(
    tmp_path, monkeypatch: pytest.MonkeyPatch, options: list[str], validation_folds: int, validating: set, left_out: set
) -> None:
    write_tree(tmp_path)
    Project(tmp_path).edit("params.yaml", ("validation_folds: 1", f"validation_folds: {validation_folds}"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["train", "--fold", "4", *options])
    run = parse_run("")
    index, copies = (read_index(tmp_path / f"data/{name}/index.csv") for name in ("split", "augmented"))
    faces, copied = (open_faces(tmp_path / f"data/{name}/faces.npy") for name in ("merged", "augmented"))
    _, training, validation = select_faces(run, faces, copied, index, copies)

    def folds(pixels: np.ndarray, table: np.ndarray, rows: pd.DataFrame) -> set[int]:
        """Return the folds of those faces of a table that are among `pixels`."""
        among = {face.tobytes() for face in pixels}
        return {row.fold for row in rows.itertuples() if table[row.id].tobytes() in among}

    assert folds(validation.pixels[:], faces, index) == validating
    assert folds(training.pixels[:], faces, index) == set(range(5)) - validating - left_out
    assert folds(training.pixels[:], copied, copies) == set(copies["fold"]) - validating - left_out


@pytest.mark.parametrize(("option", "message"), [
    (["--fold", "5"], "fold 5 does not exist: split.folds is 5, so folds are 0 to 4"),
    (["--fold", "-1"], "--fold: -1 is not allowed"),
    (["--seed", "-1"], "--seed: -1 is not allowed"),
])  # fmt: skip
def test_a_fold_and_a_seed_that_do_not_exist_are_refused(
    tmp_path, monkeypatch: pytest.MonkeyPatch, option: list[str], message: str
) -> None:
    write_tree(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["train", *option])
    with pytest.raises(InputError, match=f"^command line: .*{message}"):
        parse_run("")
