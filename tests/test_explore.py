import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from helpers.trainable import write_tree
from stages import explore
from stages.base.errors import InputError
from stages.faces.table import Selection, write_index
from stages.inspection.light import light, shares
from stages.inspection.samples import most_copied
from stages.inspection.thumbnails import small


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the stages before training leave: faces of two data sets, some of them taken out."""
    write_tree(tmp_path)
    index = pd.read_csv(tmp_path / "data/split/index.csv")
    index["dataset"] = np.where(index.id < 20, "ck48", "sfew")
    index.loc[index.id % 7 == 0, "split"] = "test"
    gone = index.id.isin([3, 8, 21])
    removed = index[gone][["id", "dataset", "label"]]
    removed["reason"] = ["excluded by hand: blurred", "duplicate", "excluded by hand: no face, sadly"]
    (tmp_path / "data/clean").mkdir()
    write_index(removed, tmp_path / "data/clean/removed.csv")
    write_index(index[~gone], tmp_path / "data/split/index.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def strips(tree: Path, kind: str) -> dict[str, tuple[np.ndarray, pd.Series]]:
    """The strips of a kind by name: the faces in each, one after another, and its row of the table."""
    table = pd.read_csv(tree / "plots/faces/strips.csv")
    found = {}
    for _, row in table[table.kind == kind].iterrows():
        picture = np.asarray(Image.open(tree / "plots/faces" / row.file))
        found[row["name"]] = np.stack(np.split(picture, row.shown, axis=1)), row
    return found


def positions(shown: np.ndarray, faces: np.ndarray) -> list[int]:
    """Where in `faces` each shown one stands."""
    return [int(np.flatnonzero((faces == face).all(axis=(1, 2)))[0]) for face in shown]


def test_classes_are_counted_as_pandas_counts_them(tree: Path) -> None:
    explore.main()
    index, classes = pd.read_csv("data/split/index.csv"), pd.read_csv("plots/explore/classes.csv")
    assert list(classes) == ["dataset", "part", "label", "faces"]
    own = index.value_counts(["dataset", "split", "label"])
    assert classes.set_index(["dataset", "part", "label"]).faces.to_dict() == own.to_dict()


def test_random_faces_are_of_their_label_and_none_is_shown_twice(tree: Path) -> None:
    explore.main()
    faces, index = np.load("data/merged/faces.npy"), pd.read_csv("data/split/index.csv").set_index("id")
    for label, (shown, row) in strips(tree, "random").items():
        ids = positions(shown, faces)
        assert len(set(ids)) == len(ids) == row.shown == min(10, row.of)
        assert (index.label[ids] == label).all() and row.of == (index.label == label).sum()


def test_the_mean_face_is_the_mean_of_all_of_its_label(tree: Path) -> None:
    explore.main()
    faces, index = np.load("data/merged/faces.npy"), pd.read_csv("data/split/index.csv")
    for label, (shown, row) in strips(tree, "mean").items():
        ids = index.id[index.label == label]
        assert row.shown == 1 and row.of == len(ids)
        np.testing.assert_array_equal(shown[0], np.rint(faces[ids].mean(axis=0)))


def test_copies_follow_their_parent(tree: Path) -> None:
    explore.main()
    faces, copied = np.load("data/merged/faces.npy"), np.load("data/augmented/faces.npy")
    copies = pd.read_csv("data/augmented/index.csv")
    found = strips(tree, "copies")
    assert set(found) == set(copies.label)
    for label, (shown, row) in found.items():
        parent = positions(shown[:1], faces)[0]
        assert copies.label[copies.parent == parent].tolist() == [label] * (row.shown - 1)
        assert positions(shown[1:], copied) == copies.id[copies.parent == parent].tolist()


def test_of_the_parents_the_one_with_most_copies_is_shown() -> None:
    copies = pd.DataFrame({"id": range(6), "parent": [9, 4, 7, 7, 4, 5]})
    assert most_copied(copies).id.tolist() == [1, 4]


def test_removed_faces_stand_under_their_reason(tree: Path) -> None:
    explore.main()
    found = strips(tree, "removed")
    ids = {name: positions(shown, np.load("data/merged/faces.npy")) for name, (shown, _) in found.items()}
    assert ids == {"excluded by hand": [3, 21], "duplicate": [8]}


def test_without_copies_and_removed_faces_there_are_no_such_strips(tree: Path) -> None:
    for name in ("data/clean/removed.csv", "data/augmented/index.csv"):
        Path(name).write_text(Path(name).read_text().splitlines()[0] + "\n")
    explore.main()
    assert set(pd.read_csv("plots/faces/strips.csv").kind) == {"random", "mean"}


def test_the_same_bytes_come_twice_and_the_seed_chooses(tree: Path) -> None:
    def run() -> dict[str, bytes]:
        explore.main()
        return {str(path): path.read_bytes() for path in Path("plots").rglob("*.*")}

    first, params = run(), Path("params.yaml").read_text()
    shutil.rmtree("plots")
    assert run() == first
    Path("params.yaml").write_text(params.replace("\nseed: 0", "\nseed: 1"))
    assert run() != first


def test_no_face_at_all_is_one_line(tree: Path) -> None:
    index = pd.read_csv("data/split/index.csv")
    write_index(index[:0], Path("data/split/index.csv"))
    with pytest.raises(InputError, match="holds no face"):
        explore.main()
    assert not Path("plots").exists()


def test_light_is_what_it_says() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (12, 12), dtype=np.uint8)
    faces = np.stack([np.full((12, 12), 200, np.uint8), noise, cv2.GaussianBlur(noise, (5, 5), 2)])
    measured = light(Selection((faces, np.arange(3))))
    np.testing.assert_allclose(measured.brightness, faces.mean(axis=(1, 2)))
    around = np.pad(noise.astype(int), 1, mode="reflect")
    laplacian = around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:] - 4 * noise.astype(int)
    np.testing.assert_allclose(measured.sharpness[:2], [0, np.log10(1 + laplacian.var())])
    assert measured.sharpness[2] < measured.sharpness[1]
    in_colour = light(Selection((np.repeat(faces[..., None], 3, axis=3), np.arange(3))))
    pd.testing.assert_frame_equal(in_colour, measured)


def test_shares_of_a_data_set_add_up_over_the_same_bins() -> None:
    measured = pd.DataFrame({"brightness": [1.0, 2.0, 9.0, 30.0], "sharpness": [0.0, 0.05, 0.31, 0.31]})
    table = shares(measured, pd.Series(["b", "b", "b", "a"]))
    for _, rows in table.groupby(["dataset", "quantity"]):
        assert rows.share.sum() == pytest.approx(1)
    brightness = table[table.quantity == "brightness"].pivot(index="value", columns="dataset", values="share")
    assert brightness.b.to_dict() == pytest.approx({4: 2 / 3, 12: 1 / 3, 20: 0, 28: 0})
    assert brightness.a.to_dict() == {4: 0, 12: 0, 20: 0, 28: 1}


def test_large_faces_are_made_small_and_others_left() -> None:
    face = np.random.default_rng(0).integers(0, 256, (120, 120, 3), dtype=np.uint8)
    assert small(face).shape == (96, 96, 3) and abs(small(face).mean() - face.mean()) < 1
    np.testing.assert_array_equal(small(face[:50, :50, 0]), face[:50, :50, 0])
