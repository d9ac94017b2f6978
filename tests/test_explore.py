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
from stages.inspection.light import brightness_and_sharpness, histograms
from stages.inspection.samples import most_copied
from stages.inspection.thumbnails import thumbnail


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the outputs of the data stages: faces of two data sets, some of them removed; work in that folder."""
    write_tree(tmp_path)
    index = pd.read_csv(tmp_path / "data/split/index.csv")
    index["dataset"] = np.where(index.id < 20, "ck48", "sfew")
    index.loc[index.id % 7 == 0, "split"] = "test"
    index.loc[index.id.isin([3, 22]), ["split", "fold"]] = "excluded", -1
    removed = index[index.id == 8][["id", "dataset", "label"]].assign(reason="duplicate")
    (tmp_path / "data/clean").mkdir()
    write_index(removed, tmp_path / "data/clean/removed.csv")
    write_index(index[index.id != 8], tmp_path / "data/split/index.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown() -> pd.DataFrame:
    """Return the faces that are not excluded by hand."""
    return pd.read_csv("data/split/index.csv").query("split != 'excluded'")


def strips(tree: Path, kind: str) -> dict[str, tuple[np.ndarray, pd.Series]]:
    """Return the strips of a kind by name: the images of each, N×H×W, and its row of the table."""
    table = pd.read_csv(tree / "plots/faces/strips.csv")
    by_name = {}
    for _, row in table[table.kind == kind].iterrows():
        image = np.asarray(Image.open(tree / "plots/faces" / row.file))
        by_name[row["name"]] = np.stack(np.split(image, row.shown, axis=1)), row
    return by_name


def positions(images: np.ndarray, faces: np.ndarray) -> list[int]:
    """Return the row in `faces` of each image."""
    return [int(np.flatnonzero((faces == face).all(axis=(1, 2)))[0]) for face in images]


def test_faces_are_counted_by_data_set_part_and_label(tree: Path) -> None:
    explore.main()
    index, classes = shown(), pd.read_csv("plots/explore/classes.csv")
    assert list(classes) == ["dataset", "part", "label", "faces"]
    expected = index.value_counts(["dataset", "split", "label"])
    assert classes.set_index(["dataset", "part", "label"]).faces.to_dict() == expected.to_dict()


def test_random_strips_show_distinct_faces_of_their_label(tree: Path) -> None:
    explore.main()
    faces, index = np.load("data/merged/faces.npy"), shown().set_index("id")
    for label, (images, row) in strips(tree, "random").items():
        ids = positions(images, faces)
        assert len(set(ids)) == len(ids) == row.shown == min(10, row.of)
        assert (index.label[ids] == label).all() and row.of == (index.label == label).sum()


def test_the_mean_face_is_the_mean_of_all_faces_of_its_label(tree: Path) -> None:
    explore.main()
    faces, index = np.load("data/merged/faces.npy"), shown()
    for label, (images, row) in strips(tree, "mean").items():
        ids = index.id[index.label == label]
        assert row.shown == 1 and row.of == len(ids)
        np.testing.assert_array_equal(images[0], np.rint(faces[ids].mean(axis=0)))


def test_copies_follow_their_parent(tree: Path) -> None:
    explore.main()
    faces, copied = np.load("data/merged/faces.npy"), np.load("data/augmented/faces.npy")
    copies = pd.read_csv("data/augmented/index.csv")
    by_label = strips(tree, "copies")
    assert set(by_label) == set(copies.label)
    for label, (images, row) in by_label.items():
        parent = positions(images[:1], faces)[0]
        assert copies.label[copies.parent == parent].tolist() == [label] * (row.shown - 1)
        assert positions(images[1:], copied) == copies.id[copies.parent == parent].tolist()


def test_the_parent_with_the_most_copies_is_shown() -> None:
    copies = pd.DataFrame({"id": range(6), "parent": [9, 4, 7, 7, 4, 5]})
    assert most_copied(copies).id.tolist() == [1, 4]


def test_removed_faces_are_shown_by_reason(tree: Path) -> None:
    explore.main()
    faces = np.load("data/merged/faces.npy")
    ids = {name: positions(images, faces) for name, (images, _) in strips(tree, "removed").items()}
    assert ids == {"excluded by hand": [3, 22], "duplicate": [8]}


def test_without_copies_or_removed_faces_their_strips_are_missing(tree: Path) -> None:
    for name in ("data/clean/removed.csv", "data/augmented/index.csv"):
        Path(name).write_text(Path(name).read_text().splitlines()[0] + "\n")
    write_index(shown(), Path("data/split/index.csv"))
    explore.main()
    assert set(pd.read_csv("plots/faces/strips.csv").kind) == {"random", "mean"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tree: Path) -> None:
    def run() -> dict[str, bytes]:
        explore.main()
        return {str(path): path.read_bytes() for path in Path("plots").rglob("*.*")}

    first, params = run(), Path("params.yaml").read_text()
    shutil.rmtree("plots")
    assert run() == first
    Path("params.yaml").write_text(params.replace("\nseed: 0", "\nseed: 1"))
    assert run() != first


def test_an_empty_index_is_an_error(tree: Path) -> None:
    index = pd.read_csv("data/split/index.csv")
    write_index(index[:0], Path("data/split/index.csv"))
    with pytest.raises(InputError, match="data/split/index.csv has no faces; add a data set"):
        explore.main()
    assert not Path("plots").exists()


def test_brightness_is_the_mean_and_sharpness_the_variance_of_the_laplacian() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (12, 12), dtype=np.uint8)
    faces = np.stack([np.full((12, 12), 200, np.uint8), noise, cv2.GaussianBlur(noise, (5, 5), 2)])
    measured = brightness_and_sharpness(Selection((faces, np.arange(3))))
    np.testing.assert_allclose(measured.brightness, faces.mean(axis=(1, 2)))
    around = np.pad(noise.astype(int), 1, mode="reflect")
    laplacian = around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:] - 4 * noise.astype(int)
    np.testing.assert_allclose(measured.sharpness[:2], [0, np.log10(1 + laplacian.var())])
    assert measured.sharpness[2] < measured.sharpness[1]
    in_colour = brightness_and_sharpness(Selection((np.repeat(faces[..., None], 3, axis=3), np.arange(3))))
    pd.testing.assert_frame_equal(in_colour, measured)


def test_histograms_share_their_bins_and_sum_to_one() -> None:
    measured = pd.DataFrame({"brightness": [1.0, 2.0, 9.0, 30.0], "sharpness": [0.0, 0.05, 0.31, 0.31]})
    table = histograms(measured, pd.Series(["b", "b", "b", "a"]))
    for _, rows in table.groupby(["dataset", "quantity"]):
        assert rows.share.sum() == pytest.approx(1)
    brightness = table[table.quantity == "brightness"].pivot(index="value", columns="dataset", values="share")
    assert brightness.b.to_dict() == pytest.approx({4: 2 / 3, 12: 1 / 3, 20: 0, 28: 0})
    assert brightness.a.to_dict() == {4: 0, 12: 0, 20: 0, 28: 1}


def test_thumbnails_reduce_large_faces_only() -> None:
    face = np.random.default_rng(0).integers(0, 256, (120, 120, 3), dtype=np.uint8)
    assert thumbnail(face).shape == (96, 96, 3) and abs(thumbnail(face).mean() - face.mean()) < 1
    np.testing.assert_array_equal(thumbnail(face[:50, :50, 0]), face[:50, :50, 0])
