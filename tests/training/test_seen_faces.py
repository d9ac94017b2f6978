"""Trainings that start from a model that has seen their test faces."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from helpers import saved
from helpers.archives import mutated
from helpers.generated import MANY
from helpers.trainable import image_hashes, trained_tree, write_tree
from stages import evaluate
from stages import train as stage
from stages.base.errors import InputError
from stages.faces.table import read_index, write_index
from stages.training.seen_faces import MAX_BYTES, read_seen

INDEX, FACES, RECORD = "data/split/index.csv", "data/merged/faces.npy", "trained_on.csv"
COLUMNS = ["dataset", "unit", "sha256", "phash"]
Run, Refused = Callable[..., None], Callable[..., str]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with a trained model: faces 0 to 29 are trained or validated on, face 30 is the test face."""
    return trained_tree(tmp_path_factory.mktemp("first"), epochs=1)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run(root, options)`: run a stage, training by default, in the folder `root`; faster than as a process."""

    def main(root: Path, *options: str, module: ModuleType = stage) -> None:
        monkeypatch.chdir(root)
        monkeypatch.setattr("sys.argv", ["stage", "--threads", "1", *options])
        module.main()

    return main


@pytest.fixture
def refused(run: Run) -> Refused:
    """`refused(root, options)`: run a training that must end before its first epoch; the reason, one line."""

    def reason(root: Path, *options: str) -> str:
        with pytest.raises(InputError) as error:
            run(root, *options)
        assert str(error.value).startswith("train.init: ") and "\n" not in str(error.value)
        assert not list(root.rglob("model")) and not (root / "plots").exists()
        return str(error.value)

    return reason


def tree(root: Path, first: Path, **changes: object) -> Path:
    """Write a tree of the same faces whose training starts from the first model."""
    write_tree(root, **{"epochs": 1, "init": str(first / "data/model")} | changes)
    return root


def with_test_face(root: Path, face: np.ndarray, unit: str, group: int) -> Path:
    """Replace the test face, number 30."""
    faces, index = np.load(root / FACES), read_index(root / INDEX)
    faces[30] = face
    np.save(root / FACES, faces)
    index.loc[30, ["unit", "group"]] = unit, str(group)
    index.loc[30, ["sha256", "phash"]] = image_hashes(face[None]).iloc[0]
    write_index(index, root / INDEX)
    return root


def record(model: Path) -> list[tuple[str, ...]]:
    return list(pd.read_csv(model / RECORD, dtype=str)[COLUMNS].itertuples(index=False, name=None))


def rows(root: Path, dataset: str = "") -> list[tuple[str, ...]]:
    """Return what a model must record that has seen all faces, or those of a data set, except the test face."""
    index = read_index(root / INDEX).query("split == 'train' and dataset.str.endswith(@dataset)")
    return sorted(index.assign(sha256=index["sha256"].str[:16])[COLUMNS].itertuples(index=False, name=None))


def test_a_model_records_the_faces_that_it_was_trained_and_validated_on(first: Path) -> None:
    assert record(first / "data/model") == rows(first) and len(rows(first)) == 30
    config = json.loads((first / "data/model/config.json").read_text())
    assert config["seen_test"] is config["seen_validation"] is None


SAME = "same image: {}, near-duplicate: {}, same subject, film or group: {}"


@pytest.mark.parametrize(
    ("kind", "counts"), [("image", (1, 0, 0)), ("near-duplicate", (0, 1, 0)), ("subject", (0, 0, 1))]
)
def test_a_start_that_has_seen_the_test_face_is_refused(
    tmp_path, first: Path, refused: Refused, kind: str, counts: tuple
) -> None:
    root, seen = tree(tmp_path, first), np.load(first / FACES)[4]
    other = np.random.default_rng(1).integers(0, 256, (16, 16), dtype=np.uint8)
    if kind == "subject":
        with_test_face(root, other, "drawn-ck48/file/4.png", 30)
    else:
        with_test_face(root, seen if kind == "image" else seen + 3, "drawn-sfew/file/other.png", 30)
    message = refused(root)
    assert f"was trained on 1 of the 1 test faces (drawn-sfew: 1; {SAME.format(*counts)})" in message
    assert "train.allow_seen_test: true" in message


def test_a_near_duplicate_that_today_is_linked_by_its_pixels_is_refused(
    tmp_path, first: Path, refused: Refused
) -> None:
    root = tree(tmp_path, first)
    other = np.random.default_rng(1).integers(0, 256, (16, 16), dtype=np.uint8)
    with_test_face(root, other, "drawn-sfew/file/other.png", group=4)  # face 4 is of another data set
    index = read_index(root / INDEX)
    index.loc[4, ["split", "fold"]] = "unused", -1
    write_index(index, root / INDEX)
    assert SAME.format(0, 0, 1) in refused(root)


def test_a_start_that_was_trained_on_a_removed_copy_of_the_test_face_is_refused(
    tmp_path, first: Path, refused: Refused
) -> None:
    root = tree(tmp_path, first)
    index = read_index(root / INDEX)
    write_index(index[index["id"] != 4], root / INDEX)
    copy = index[index["id"] == 4].assign(unit="drawn-ck48/file/first.png", group="30", split="removed", fold=-1)
    write_index(copy, root / "data/split/removed.csv")
    assert SAME.format(0, 0, 1) in refused(root)


def test_an_accepted_start_is_told_by_config_and_metrics(tmp_path, first: Path, run: Run, capsys) -> None:
    root = tree(tmp_path, first, allow_seen_test=True)
    with_test_face(root, np.load(first / FACES)[4], "drawn-sfew/file/other.png", 30)
    run(root)
    counts = {"faces": 1, "of": 1, "same_image": 1, "near_duplicate": 0, "same_group": 0, "datasets": {"drawn-sfew": 1}}
    assert json.loads((root / "data/model/config.json").read_text())["seen_test"] == counts
    run(root, module=evaluate)
    assert "saw at least 1 of 1 test faces: metrics can be too high" in capsys.readouterr().out
    assert json.loads((root / "metrics/metrics.json").read_text())["seen_test"] == counts


def test_another_fold_of_the_same_split_may_start_from_a_model(tmp_path, first: Path, run: Run, capsys) -> None:
    root = tree(tmp_path, first)
    run(root, "--fold", "1")
    config = json.loads((root / "data/model/config.json").read_text())
    count = sum(read_index(root / INDEX)["fold"] == 1)  # of both data sets, the first model was trained on all of them
    assert (
        config["seen_test"] is None and config["seen_validation"]["faces"] == config["seen_validation"]["of"] == count
    )
    run(root, module=evaluate)
    assert f"saw at least {count} of {count} validation faces: validation metrics can" in capsys.readouterr().out
    assert json.loads((root / "metrics/metrics.json").read_text())["seen_validation"] == config["seen_validation"]
    assert record(root / "data/model") == record(first / "data/model")  # no face is recorded twice


def test_another_fold_of_the_benchmark_or_of_a_cross_validation_is_refused(
    tmp_path, first: Path, refused: Refused
) -> None:
    root, index = tree(tmp_path, first), read_index(first / INDEX)
    count = sum(index["fold"] == 1)  # the first model was trained on these faces
    message = refused(root, "--ranked", "--fold", "1")
    assert f"was trained on {count} of the {count + 1} test and out-of-fold faces" in message
    write_index(index.assign(split="train", fold=index["id"] % 5), root / INDEX)
    assert "was trained on 6 of the 6 test faces" in refused(root, "--fold", "1")


def test_a_model_records_what_the_models_before_it_have_seen(tmp_path, run: Run, refused: Refused) -> None:
    for name, dataset, init in (("one", "ck48", "random"), ("two", "sfew", "one"), ("again", "sfew", "one")):
        root = tree(tmp_path / name, tmp_path / init, **({"init": init} if init == "random" else {}))
        run(root, "--dataset", dataset)
    one, two, again = (tmp_path / name for name in ("one", "two", "again"))
    assert record(one / "data/model") == rows(one, "ck48")
    assert record(two / "data/model") == rows(two)
    assert (two / "data/model" / RECORD).read_bytes() == (again / "data/model" / RECORD).read_bytes()

    three = tree(tmp_path / "three", two)
    with_test_face(three, np.load(three / FACES)[4], "drawn-sfew/file/other.png", 30)
    assert "same image: 1" in refused(three)


@pytest.mark.parametrize(
    "content", [None, "", "dataset,unit\na,b\n", "\x00\x01", ",".join(COLUMNS) + "\n" * MAX_BYTES], ids=range(5)
)
def test_a_start_without_a_readable_record_is_refused(
    tmp_path, first: Path, refused: Refused, content: str | None
) -> None:
    shutil.copytree(first / "data/model", tmp_path / "model")
    (tmp_path / "model" / RECORD).unlink()
    if content is not None:
        (tmp_path / "model" / RECORD).write_text(content)
    root = tree(tmp_path / "tree", first, init=str(tmp_path / "model"), allow_seen_test=True)
    message = refused(root)
    assert ("has no trained_on.csv" if content is None else "trained_on.csv is damaged") in message
    assert "train it again" in message


def test_a_start_whose_record_lacks_a_row_is_refused(tmp_path: Path, first: Path, refused: Refused) -> None:
    shutil.copytree(first / "data/model", tmp_path / "model")
    rows = (tmp_path / "model" / RECORD).read_text().splitlines(keepends=True)
    (tmp_path / "model" / RECORD).write_text("".join(rows[:-1]))
    message = refused(tree(tmp_path / "tree", first, init=str(tmp_path / "model"), allow_seen_test=True))
    assert "trained_on.csv is damaged (not the file that config.json was written with)" in message


ROWS = ",".join(COLUMNS) + "\n" + "".join(f"ck48,ck48/subject/S{n:03},{n:016x},{n * 3:016x}\n" for n in range(9))
DAMAGED = mutated(ROWS.encode())


def check_record(folder: Path, content: bytes) -> None:
    (folder / RECORD).write_bytes(content)
    config = saved.signed(trained_on=hashlib.sha256(content).hexdigest())
    (folder / "config.json").write_text(json.dumps(config))
    try:
        seen = read_seen(folder, "model")
    except InputError as error:
        assert str(error).startswith("train.init: model: trained_on.csv is damaged") and len(str(error)) < 400
    else:
        assert list(seen) == COLUMNS and seen.map(lambda value: isinstance(value, str)).all(axis=None)


@given(content=DAMAGED)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_record_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    check_record(tmp_path, content)


@pytest.mark.slow
@given(content=DAMAGED)
@settings(max_examples=MANY, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_damaged_records_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    check_record(tmp_path, content)
