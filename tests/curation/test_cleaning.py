"""Cleaning: defects are found, every removal has a reason, and test faces are kept in preference to their copies."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.project import Project
from stages.base.errors import InputError
from stages.curation.cleaning import (
    CONFLICT,
    COPY_OF_TEST,
    DUPLICATE,
    NEAR_CONSTANT,
    NEAR_DUPLICATE_OF_TEST,
    NOT_LAST,
    count_defects,
    removal_reasons,
)
from stages.curation.exclusions import excluded_faces
from stages.curation.groups import components
from stages.curation.near_duplicates import contrast, near_duplicate_pairs, perceptual_hashes
from stages.faces.table import open_faces, read_index
from stages.params.clean import Clean


def table(*rows: str) -> pd.DataFrame:
    """Return an index from rows of `official label sha256 cluster`; "-" is an empty cell."""
    cells = [row.split() for row in rows]
    index = pd.DataFrame(cells, columns=["official", "label", "sha256", "cluster"]).replace("-", "")
    return index.assign(id=range(len(index)), dataset="d", subject="", file=[f"f{n}" for n in range(len(index))])


def removed_for(index: pd.DataFrame, contrasts: list[float] | None = None, **changes: bool) -> list[str]:
    settings = {"min_contrast": 2.0, "near_distance": 8, "near_correlation": 0.93}
    settings |= {"whole_parts": False, "one_per_expression": False} | changes
    return list(removal_reasons(index, np.array(contrasts or [50.0] * len(index)), Clean(**settings)))


def blobs(count: int, size: int = 48) -> np.ndarray:
    """Return random images, uint8, whose amplitudes fall with 1/frequency as those of photographs do."""
    noise = np.fft.fft2(np.random.default_rng(0).normal(size=(count, size, size)))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = np.inf
    images = np.fft.ifft2(noise / frequency).real
    return np.clip(128 + 40 * images / images.std(axis=(1, 2), keepdims=True), 0, 255).astype(np.uint8)


def near_duplicates(images: np.ndarray) -> list[list[int]]:
    return near_duplicate_pairs(images, perceptual_hashes(images), 8, 0.93).tolist()


def test_copies_of_a_test_face_are_removed_and_the_test_face_is_kept():
    index = table("train sad a 0", "test happy a 0", "- sad a 0", "val sad a 0", "train sad b 1")
    assert removed_for(index) == [COPY_OF_TEST, "", COPY_OF_TEST, COPY_OF_TEST, ""]


def test_a_near_duplicate_of_a_test_face_is_removed_and_others_are_kept():
    assert removed_for(table("train sad a 0", "test sad b 0", "train sad c 1", "train sad d 1")) == [
        NEAR_DUPLICATE_OF_TEST,
        "",
        "",
        "",
    ]


def test_every_copy_of_an_image_with_conflicting_labels_is_removed():
    assert removed_for(table("train sad a 0", "train fear a 0", "train fear b 1")) == [CONFLICT, CONFLICT, ""]
    assert removed_for(table("test sad a 0", "test fear a 0")) == [CONFLICT, CONFLICT]


def test_among_duplicates_the_validation_face_is_kept():
    assert removed_for(table("train sad a 0", "train sad a 0", "val sad a 0")) == [DUPLICATE, DUPLICATE, ""]


def test_the_contrast_rule_comes_before_the_rules_for_duplicates():
    assert removed_for(table("test sad a 0", "train fear a 0"), contrasts=[0, 0]) == [NEAR_CONSTANT, NEAR_CONSTANT]


def test_whole_parts_keep_every_face():
    index = table("test sad a 0", "test fear a 0", "train sad b 1", "train sad c 0", "val sad d 2", "val sad d 2")
    index = pd.concat([index, table("- sad a 0", "- sad b 1")], ignore_index=True)
    removed = removed_for(index, contrasts=[50, 50, 0, 50, 50, 50, 50, 0], whole_parts=True)
    assert removed == [""] * 6 + [COPY_OF_TEST, NEAR_CONSTANT]


def test_the_last_face_of_a_subject_with_a_label_is_kept():
    index = table("- sad a 0", "- sad b 1", "- sad c 2", "- fear d 3", "- sad e 4", "- sad f 5", "train sad g 6")
    index["file"] = ["2.png", "3.png", "1.png", "1.png", "9.png", "1.png", "2.png"]
    index["subject"] = ["S1", "S1", "S1", "S1", "S2", "", ""]
    assert removed_for(index) == [""] * 7
    assert removed_for(index, one_per_expression=True) == [NOT_LAST, "", NOT_LAST, "", "", "", ""]
    index.loc[1, "sha256"] = "e"  # a conflict takes the last one first
    index.loc[4, "label"] = "fear"
    assert removed_for(index, one_per_expression=True) == ["", CONFLICT, NOT_LAST, "", CONFLICT, "", ""]


def test_defects_are_counted():
    index = table("train sad a 0", "train fear a 0", "test sad a 0", "val sad b 1", "train sad b 1", "train sad c 2")
    assert count_defects(index) == {
        "duplicate_groups": 2, "redundant_faces": 3, "conflicting_groups": 1, "conflicting_faces": 3,
        "val_faces_also_in_train": 1, "test_faces_also_in_train": 1,
    }  # fmt: skip


def test_near_duplicates_are_found_and_different_images_are_not():
    faces = blobs(300)
    darker = np.clip(faces[:40] * 0.7 + 10, 0, 255).astype(np.uint8)
    grainy = np.clip(faces[40:80] + np.random.default_rng(1).normal(0, 6, (40, 48, 48)), 0, 255).astype(np.uint8)
    assert near_duplicates(np.concatenate([faces, darker, grainy])) == [[n, 300 + n] for n in range(80)]


def test_colour_and_grey_images_have_the_same_near_duplicates_and_contrast():
    faces = blobs(100)
    faces[50:] = faces[:50] // 2
    colour = np.repeat(faces[..., None], 3, axis=3)
    assert (perceptual_hashes(colour) == perceptual_hashes(faces)).all()
    for images in (faces, colour):
        assert near_duplicates(images) == [[n, 50 + n] for n in range(50)]
    np.testing.assert_allclose(contrast(colour), contrast(faces))


def test_contrast_is_the_standard_deviation_without_the_extreme_pixels():
    faces = blobs(50)
    inner = np.sort(faces.reshape(50, -1), axis=1)[:, 115:-115]  # 5 % of 2304 pixels at each end
    np.testing.assert_allclose(contrast(faces), inner.std(axis=1))


def near_black() -> np.ndarray:
    """Return a near-black image with noise of 0 to 3 grey levels, uint8."""
    return np.random.default_rng(0).integers(0, 4, (48, 48), dtype=np.uint8)


def bright_corner() -> np.ndarray:
    """Return a black image with a bright corner that is 2 % of its pixels, uint8."""
    image = np.zeros((48, 48), np.uint8)
    image[:7, :7] = 255
    return image


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("image", [near_black(), bright_corner(), np.maximum(near_black(), bright_corner())])
def test_near_black_and_near_white_images_are_removed(image: np.ndarray, inverted: bool, channels: int):
    image = 255 - image if inverted else image
    faces = image[None] if channels == 1 else np.repeat(image[None, :, :, None], 3, axis=3)
    assert contrast(faces) < 2
    index = table("train sad a 0")
    assert removed_for(index, contrasts=list(contrast(faces))) == [NEAR_CONSTANT]


@pytest.mark.parametrize("brightest", [42, 255])
def test_a_dark_or_bright_face_of_low_contrast_is_kept(brightest: int):
    """The darkest faces of the public data sets have a standard deviation of 7 grey levels."""
    faces = brightest - blobs(50) // 6
    assert faces.std(axis=(1, 2)).max() < 7
    assert contrast(faces).min() > 4


def test_components_follow_links_of_links():
    assert list(components(5, np.array([[0, 1], [1, 3]]))) == [0, 0, 1, 0, 2]
    assert len(set(components(5, np.empty((0, 2), int)))) == 5


def test_faces_are_excluded_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture):
    index = table("- sad a 0", "- sad b 1", "- sad c 2", "- sad d 3").assign(split=["train", "train", "test", "unused"])
    path = tmp_path / "exclude.csv"
    path.write_text("dataset,file,reason\nd,f1,a hand\nother,x,not here\nd,f9,gone\nd,f2,a hat\nd,f3,a hat\nd,f1,-\n")
    assert list(excluded_faces(index, path)) == [False, True, False, True]
    assert capsys.readouterr().out.splitlines() == [
        f"{path}:4: d has no file 'f9'; the line is ignored",
        f"{path}:5: 'f2' of d is a test face; the line is ignored",
    ]
    path.write_text("dataset,file,reason\nd,f1,a hand\nd,f0, \n")
    with pytest.raises(InputError, match="exclude.csv:3: the reason is missing.*'f0'"):
        excluded_faces(index, path)
    path.write_text("file,reason\n")
    with pytest.raises(InputError, match="exclude.csv:1: the columns must be dataset,file,reason, not file,reason"):
        excluded_faces(index, path)


def test_the_defects_planted_in_a_drawn_archive_are_found(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[fer2013]"))
    project.give("fer2013", drawn("fer2013", 200) / "fer2013.zip")
    project.stage("merge")
    rows = read_index(project.folder / "data/merged/index.csv")
    project.stage("clean")
    removed = pd.read_csv(project.folder / "data/clean/removed.csv")
    kept = read_index(project.folder / "data/clean/index.csv")
    counts = json.loads((project.folder / "metrics/clean.json").read_text())["fer2013"]
    assert len(removed) + len(kept) == len(rows) == counts["faces"] and len(kept) == counts["kept"]
    assert {COPY_OF_TEST, CONFLICT, DUPLICATE, NEAR_CONSTANT} <= set(removed["reason"])
    assert (
        removed.loc[removed["reason"] == COPY_OF_TEST, "official"].tolist()
        == ["train"] * counts["test_faces_also_in_train"]
    )
    assert counts["removed"] == removed["reason"].value_counts().to_dict()
    assert kept["sha256"].is_unique
    assert list(removed) == [*kept, "reason"]
    every = pd.concat([kept, removed])
    assert (every.groupby("cluster")["unit"].nunique() == 1).all() and 1 < every["unit"].nunique() < len(every)
    faces = open_faces(project.folder / "data/merged/faces.npy")
    hashes = perceptual_hashes(faces[kept["id"]])
    assert [int(text, 16).to_bytes(8, "big") for text in kept["phash"]] == [value.tobytes() for value in hashes]
    assert faces[kept["id"]].std(axis=(1, 2)).min() > 2


def test_removing_every_face_is_an_error(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[ck48]"), ("min_contrast: 2", "min_contrast: 127"))
    project.give("ck48", drawn("ck48") / "ck48.zip")
    project.stage("merge")
    assert "clean.min_contrast" in project.refused("clean")
