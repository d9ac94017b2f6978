"""The stage split: exclusions by hand move no other face and leave the test part alone."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.project import ROOT
from helpers.splits import like_ck48, like_jaffe
from stages import split
from stages.base.errors import InputError
from stages.faces.subsets import subsets
from stages.faces.table import read_index, write_index


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write what the stage reads: kept and removed faces of two data sets, and no exclusion; work in that folder."""
    index = pd.concat([like_ck48(), like_jaffe()], ignore_index=True)
    index.insert(0, "id", index.index)
    removed = index.sample(frac=0.05, random_state=0)
    (tmp_path / "data/clean").mkdir(parents=True)
    (tmp_path / "metrics").mkdir()
    write_index(index.drop(removed.index), tmp_path / "data/clean/index.csv")
    write_index(removed.assign(reason="duplicate"), tmp_path / "data/clean/removed.csv")
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    exclude()
    return tmp_path


def exclude(*files: str) -> None:
    """Exclude these files, each <dataset>,<file>."""
    Path("data/exclude.csv").write_text("dataset,file,reason\n" + "".join(f"{file},a hand\n" for file in files))


def run() -> pd.DataFrame:
    split.main()
    return read_index(Path("data/split/index.csv"))


def cross_validated() -> None:
    params = Path("params.yaml").read_text()
    Path("params.yaml").write_text(params.replace("protocol: held_out", "protocol: cross_validation"))


def names(rows: pd.DataFrame) -> list[str]:
    return list(rows["dataset"] + "," + rows["file"])


@pytest.mark.parametrize("seed", range(3))
def test_excluding_faces_moves_no_other_and_no_test_face(tree: Path, seed: int, capsys: pytest.CaptureFixture):
    before = run()
    chosen = before.sample(frac=0.2, random_state=seed)
    tested = chosen[chosen["split"] == "test"]
    exclude(*names(chosen))
    capsys.readouterr()
    after = run()
    excluded = before.index.isin(chosen.index) & (before["split"] != "test")
    assert len(tested) > 20 and excluded.sum() > 100
    expected = before.assign(split=before["split"].mask(excluded, "excluded"), fold=before["fold"].mask(excluded, -1))
    pd.testing.assert_frame_equal(after, expected)
    printed = capsys.readouterr().out
    assert printed.count("is a test face; the line is ignored") == len(tested)
    assert all(f"{name.split(',')[1]!r} of" in printed for name in names(tested))
    counts = json.loads(Path("metrics/split.json").read_text())
    assert counts["excluded"] == after.loc[excluded, "dataset"].value_counts().to_dict()


def test_excluded_faces_are_tested_but_never_trained_on_under_cross_validation(tree: Path):
    cross_validated()
    before = run()
    chosen = before.sample(frac=0.2, random_state=0)
    exclude(*names(chosen))
    after = run()
    pd.testing.assert_series_equal(after["fold"], before["fold"])
    assert (after["split"] == np.where(after.index.isin(chosen.index), "excluded", "train")).all()
    tested = []
    for fold in range(5):
        parts = subsets(after, fold)
        assert not set(parts.train["id"]) & set(chosen["id"]) and not set(parts.validation["id"]) & set(chosen["id"])
        tested += list(parts.test["id"])
    assert sorted(tested) == sorted(after["id"])


def test_removed_faces_are_dealt_and_written_apart(tree: Path):
    """The division is the same as if they had been kept."""
    some = run().set_index("id")
    apart = read_index(Path("data/split/removed.csv")).set_index("id")
    kept, removed = read_index(Path("data/clean/index.csv")), read_index(Path("data/clean/removed.csv"))
    assert set(some.index) == set(kept["id"])
    write_index(pd.concat([kept, removed.drop(columns="reason")]).sort_values("id"), Path("data/clean/index.csv"))
    write_index(removed[:0], Path("data/clean/removed.csv"))
    every = run().set_index("id")
    columns = ["split", "fold"]
    pd.testing.assert_frame_equal(every.loc[some.index, columns], some[columns])
    assert set(apart.index) == set(removed["id"]) and len(apart) and set(apart["split"]) == {"removed"}
    assert set(apart["fold"]) == {-1} and (apart["group"] == every.loc[apart.index, "group"]).all()


def test_the_share_of_each_data_set_that_is_held_out_is_told(tree: Path, capsys: pytest.CaptureFixture):
    index = run()
    shares = json.loads(Path("metrics/split.json").read_text())["held_out"]
    told = (index["split"] == "test").groupby(index["dataset"]).mean()
    assert shares == pytest.approx(told.to_dict(), abs=1e-6) and set(shares) == {"ck48", "jaffe"}
    assert f"ck48: {told['ck48']:.1%} of the faces are held out" in capsys.readouterr().out
    official = index.assign(official=np.where(index["dataset"] == "ck48", "test", "")).drop(columns=["split", "fold"])
    write_index(official.drop(columns="group"), Path("data/clean/index.csv"))
    run()
    assert set(json.loads(Path("metrics/split.json").read_text())["held_out"]) == {"jaffe"}
    cross_validated()
    run()
    assert "held_out" not in json.loads(Path("metrics/split.json").read_text())


def test_a_share_that_cannot_be_held_out_is_refused(tree: Path):
    params = Path("params.yaml").read_text()
    Path("params.yaml").write_text(params.replace("test_share: 0.2", "test_share: 0.03"))
    with pytest.raises(InputError, match="jaffe: with 10 groups of subjects or films, "):
        split.main()
    assert not Path("data/split").exists() and not Path("metrics/split.json").exists()
