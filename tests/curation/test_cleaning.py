"""Cleaning: every defect is found, every removal has its reason, and test pictures win over their copies."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.project import Project
from stages.base.errors import InputError
from stages.curation.cleaning import CONFLICT, COPY, DUPLICATE, EMPTY, TWIN, defects, reasons
from stages.curation.exclusions import excluded
from stages.curation.near_duplicates import components, contrast, near_pairs, perceptual_hashes
from stages.faces.table import open_faces, read_index


def table(*rows: str) -> pd.DataFrame:
    """Rows of `official label sha256 cluster`."""
    split = [row.split() for row in rows]
    index = pd.DataFrame(split, columns=["official", "label", "sha256", "cluster"]).replace("-", "")
    return index.assign(id=range(len(index)), dataset="d", file=[f"f{n}" for n in range(len(index))])


def why(index: pd.DataFrame, contrast: list[float] | None = None, whole_test: bool = False) -> list[str]:
    shows = np.array(contrast or [50.0] * len(index))
    return list(reasons(index, pd.Series(False, index=index.index), shows, 2, whole_test))


def blobs(count: int, size: int = 48) -> np.ndarray:
    """Random pictures, uint8, with as much of every scale as photographs have (amplitude 1/frequency)."""
    noise = np.fft.fft2(np.random.default_rng(0).normal(size=(count, size, size)))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = np.inf
    pictures = np.fft.ifft2(noise / frequency).real
    return np.clip(128 + 40 * pictures / pictures.std(axis=(1, 2), keepdims=True), 0, 255).astype(np.uint8)


def test_copies_of_a_test_face_go_and_the_test_face_stays():
    index = table("train sad a 0", "test happy a 0", "- sad a 0", "val sad a 0", "train sad b 1")
    assert why(index) == [COPY, "", COPY, COPY, ""]


def test_a_near_duplicate_of_a_test_face_goes_and_others_stay():
    assert why(table("train sad a 0", "test sad b 0", "train sad c 1", "train sad d 1")) == [TWIN, "", "", ""]


def test_the_same_picture_under_two_labels_goes_altogether():
    assert why(table("train sad a 0", "train fear a 0", "train fear b 1")) == [CONFLICT, CONFLICT, ""]
    assert why(table("test sad a 0", "test fear a 0")) == [CONFLICT, CONFLICT]


def test_of_duplicates_the_one_in_the_later_part_stays():
    assert why(table("train sad a 0", "train sad a 0", "val sad a 0")) == [DUPLICATE, DUPLICATE, ""]


def test_an_empty_picture_goes_first():
    assert why(table("test sad a 0", "train fear a 0"), contrast=[0, 0]) == [EMPTY, EMPTY]


def test_a_whole_test_part_loses_nothing():
    index = table("test sad a 0", "test fear a 0", "test sad b 1", "train sad b 1", "test sad c 2", "test sad c 2")
    assert why(index, contrast=[50, 50, 0, 0, 50, 50], whole_test=True) == ["", "", "", EMPTY, "", ""]


def test_defects_are_counted():
    index = table("train sad a 0", "train fear a 0", "test sad a 0", "val sad b 1", "train sad b 1", "train sad c 2")
    assert defects(index) == {
        "duplicate_groups": 2, "redundant_faces": 3, "conflicting_groups": 1, "conflicting_faces": 3,
        "val_faces_also_in_train": 1, "test_faces_also_in_train": 1,
    }  # fmt: skip


def test_near_duplicates_are_found_and_different_pictures_are_not():
    faces = blobs(300)
    darker = np.clip(faces[:40] * 0.7 + 10, 0, 255).astype(np.uint8)
    grainy = np.clip(faces[40:80] + np.random.default_rng(1).normal(0, 6, (40, 48, 48)), 0, 255).astype(np.uint8)
    pairs = near_pairs(np.concatenate([faces, darker, grainy]), 8, 0.93)
    assert pairs.tolist() == [[n, 300 + n] for n in range(80)]


def test_near_duplicates_in_colour_are_those_in_grey():
    faces = blobs(100)
    faces[50:] = faces[:50] // 2
    colour = np.repeat(faces[..., None], 3, axis=3)
    assert (perceptual_hashes(colour) == perceptual_hashes(faces)).all()
    for pictures in (faces, colour):
        assert near_pairs(pictures, 8, 0.93).tolist() == [[n, 50 + n] for n in range(50)]
    np.testing.assert_allclose(contrast(colour), contrast(faces))


def test_contrast_is_the_standard_deviation():
    faces = blobs(50)
    np.testing.assert_allclose(contrast(faces), faces.reshape(50, -1).std(axis=1))


def test_links_carry_on():
    assert list(components(5, np.array([[0, 1], [1, 3]]))) == [0, 0, 1, 0, 2]
    assert len(set(components(5, np.empty((0, 2), int)))) == 5


def test_the_hand_written_list(tmp_path: Path, capsys: pytest.CaptureFixture):
    index = table("train sad a 0", "train sad b 1")
    path = tmp_path / "exclude.csv"
    path.write_text("dataset,file,reason\nd,f1,a hand\nother,x,not here\nd,f9,gone\n")
    assert list(excluded(index, path)) == ["", "a hand"]
    assert "exclude.csv:4: d has no face 'f9'" in capsys.readouterr().out
    path.write_text("dataset,file,reason\nd,f1,a hand\nd,f0, \n")
    with pytest.raises(InputError, match="exclude.csv:3: .*'f0'"):
        excluded(index, path)
    path.write_text("file,reason\n")
    with pytest.raises(InputError, match="exclude.csv:1"):
        excluded(index, path)


def test_the_planted_defects_of_a_drawn_archive_are_found(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[fer2013]"))
    project.give("fer2013", drawn("fer2013", 200) / "fer2013.zip")
    project.stage("merge")
    rows = read_index(project.folder / "data/merged/index.csv")
    hand = rows["file"][rows["official"] == "train"].iloc[30]
    with (project.folder / "data/exclude.csv").open("a") as out:
        out.write(f"fer2013,{hand},no face\n")
    project.stage("clean")
    removed = pd.read_csv(project.folder / "data/clean/removed.csv")
    kept = read_index(project.folder / "data/clean/index.csv")
    counts = json.loads((project.folder / "metrics/clean.json").read_text())["fer2013"]
    assert len(removed) + len(kept) == len(rows) == counts["faces"] and len(kept) == counts["kept"]
    assert {COPY, CONFLICT, DUPLICATE, EMPTY, "excluded by hand: no face"} <= set(removed["reason"])
    assert removed.loc[removed["reason"] == COPY, "official"].tolist() == ["train"] * counts["test_faces_also_in_train"]
    told = removed["reason"].where(removed["file"] != hand, "excluded by hand")
    assert counts["removed"] == told.value_counts().to_dict()
    assert kept["sha256"].is_unique
    faces = open_faces(project.folder / "data/merged/faces.npy")
    assert faces[kept["id"]].std(axis=(1, 2)).min() > 2


def test_cleaning_everything_away_is_refused(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[ck48]"), ("min_contrast: 2", "min_contrast: 127"))
    project.give("ck48", drawn("ck48") / "ck48.zip")
    project.stage("merge")
    assert "clean.min_contrast" in project.refused("clean")
