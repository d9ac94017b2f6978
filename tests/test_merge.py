"""The merge stage: archives in, one table of faces out, whole or not at all."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.project import Project
from stages.datasets.picture import Face, Rejected
from stages.datasets.writer import TableWriter
from stages.faces.table import open_faces, read_index

COLUMNS = ["id", "dataset", "file", "label", "subject", "sequence", "official", "crop", "sha256"]


def test_two_data_sets_become_one_table(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[ck48, fer2013]"))
    for dataset in ("ck48", "fer2013"):
        project.give(dataset, drawn(dataset, 120) / f"{dataset}.zip")
    said = project.stage("merge")
    merged = project.folder / "data/merged"
    faces, index = open_faces(merged / "faces.npy"), read_index(merged / "index.csv")
    rejected = pd.read_csv(merged / "rejected.csv")
    assert list(index.columns) == COLUMNS and list(rejected.columns) == ["dataset", "file", "reason"]
    assert faces.shape == (len(index), 48, 48) and faces.dtype == np.uint8
    assert list(index["id"]) == list(range(len(index)))
    assert list(index["dataset"].unique()) == ["ck48", "fer2013"]
    assert "contempt" not in set(index["label"])
    assert rejected["reason"].str.contains("contempt").any() and rejected["reason"].str.contains("not a square").any()
    counts = json.loads((project.folder / "metrics/merge.json").read_text())
    assert {name: count["faces"] for name, count in counts.items()} == index["dataset"].value_counts().to_dict()
    assert "not as published" in said and counts["ck48"]["more_than_published"]["all/anger"] < 0


def test_one_core_and_several_write_the_same_bytes(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[jaffe]"))
    project.give("jaffe", drawn("jaffe") / "jaffe.zip")
    written = []
    for cores in ("1", "3"):
        project.stage("merge", LOKY_MAX_CPU_COUNT=cores)
        written.append({path.name: path.read_bytes() for path in (project.folder / "data/merged").iterdir()})
    assert written[0] == written[1] and set(written[0]) == {"faces.npy", "index.csv", "rejected.csv", "sources.json"}


def test_colour_is_kept_where_it_is_asked_for(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[sfew]"), ("channels: 1", "channels: 3"))
    project.edit("params.yaml", ("size: 48", "size: 40"))
    project.give("sfew", drawn("sfew") / "sfew.zip")
    project.stage("merge")
    faces = open_faces(project.folder / "data/merged/faces.npy")
    assert faces.shape[1:] == (40, 40, 3) and np.ptp(faces.astype(int), axis=3).mean() > 2


def test_what_is_drawn_says_so(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[ck48]"))
    project.give("ck48", drawn("ck48") / "ck48.zip")
    (project.folder / "data/archives/ck48/source.json").write_text('{"drawn": true}')
    assert "published" not in project.stage("merge")
    assert set(read_index(project.folder / "data/merged/index.csv")["dataset"]) == {"drawn-ck48"}


def test_a_data_set_that_left_the_list_leaves_the_folder(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[ck48]"))
    for dataset in ("ck48", "jaffe"):
        project.give(dataset, drawn(dataset) / f"{dataset}.zip")
    project.stage("merge")
    assert [folder.name for folder in (project.folder / "data/archives").iterdir()] == ["ck48"]


@pytest.mark.parametrize("damage", ["truncated", "empty", "other", "unknown label"])
def test_a_bad_archive_is_refused_and_nothing_is_written(project: Project, drawn, tmp_path: Path, damage: str):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[ck48, jaffe]"))
    project.give("ck48", drawn("ck48") / "ck48.zip")
    content = (drawn("jaffe") / "jaffe.zip").read_bytes()
    bad = tmp_path / "jaffe.zip"
    match damage:
        case "truncated":
            bad.write_bytes(content[: len(content) // 2])
        case "empty":
            bad.write_bytes(b"PK\5\6" + bytes(18))
        case "other":
            bad.write_bytes((drawn("sfew") / "sfew.zip").read_bytes())
        case "unknown label":
            bad.write_bytes(content)
            mixed = (drawn("ck48") / "ck48.zip").read_bytes().replace(b"CK+48/anger/", b"CK+48/angst/")
            (project.folder / "data/archives/ck48/ck48.zip").write_bytes(mixed)
    project.give("jaffe", bad)
    line = project.refused("merge")
    assert ("angst" if damage == "unknown label" else "jaffe.zip") in line


def test_the_table_writer_refuses_a_face_of_another_size(tmp_path: Path):
    face = Face("f", "anger", "", "", "", "", "0", bytes(48 * 48))
    with TableWriter(tmp_path, 48, 1) as table:
        table.append("a", face)
        table.append("a", Rejected("g", "why"))
        with pytest.raises(ValueError, match="does not fit"):
            table.append("a", face._replace(pixels=bytes(47 * 48)))
    assert open_faces(tmp_path / "faces.npy").shape == (1, 48, 48)
    assert len(read_index(tmp_path / "index.csv")) == 1


def test_an_archive_that_is_not_there_is_named(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[ck48, jaffe]"))
    project.give("ck48", drawn("ck48") / "ck48.zip")
    assert project.refused("merge") == "data/archives/jaffe: holds no archive; run `dvc repro download@jaffe`"
