"""The merge stage: it writes one face table from all archives, completely or not at all."""

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.archives import zipped
from helpers.project import Project, source
from stages.base.atomic import atomic_output
from stages.datasets.picture import Face, Rejected
from stages.datasets.writer import TableWriter
from stages.faces.table import open_faces, read_index

COLUMNS = ["id", "dataset", "file", "label", "subject", "sequence", "official", "crop", "sha256"]


def test_two_data_sets_are_merged_into_one_table(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[ck48, fer2013]"))
    for dataset in ("ck48", "fer2013"):
        project.give(dataset, drawn(dataset, 120) / f"{dataset}.zip")
    output = project.stage("merge")
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
    assert "differ from the published ones" in output and counts["ck48"]["more_than_published"]["all/anger"] < 0


def test_counts_and_reasons_are_printed_as_plain_text(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[jaffe, ck48]"))
    for dataset in ("ck48", "jaffe"):
        project.give(dataset, drawn(dataset, 120) / f"{dataset}.zip")
    lines = project.stage("merge").splitlines()
    assert [re.sub(r"\b\d+", "N", line) for line in lines if "published" not in line] == [
        "jaffe: N faces, N rejected: not a picture, or cut short (N)",
        "ck48: N faces, N rejected: label contempt is not among data.labels (N)",
    ]
    assert re.match(r"ck48: the counts differ from the published ones: all/anger \d+ fewer, all/disgust", lines[-1])
    assert not any(set("{}[]'") & set(line) or line != line.rstrip() for line in lines)


def test_the_provenance_of_each_archive_is_copied(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[jaffe, ck48]"))
    archives = project.folder / "data/archives"
    for dataset, date in (("ck48", None), ("jaffe", "1998-04-14")):
        project.give(dataset, drawn(dataset) / f"{dataset}.zip")
        content = source(drawn=False) | {"date": date, "files": {f"{dataset}.zip": "0" * 64}}
        (archives / dataset / "source.json").write_text(json.dumps(content, sort_keys=True))
    project.stage("merge")
    merged = (project.folder / "data/merged/sources.json").read_text()
    sources = {name: json.loads((archives / name / "source.json").read_text()) for name in ("ck48", "jaffe")}
    assert merged == json.dumps(sources, indent=2, sort_keys=True) + "\n"


def test_the_output_does_not_depend_on_the_number_of_cores(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[jaffe]"))
    project.give("jaffe", drawn("jaffe") / "jaffe.zip")
    outputs = []
    for cores in ("1", "3"):
        project.stage("merge", LOKY_MAX_CPU_COUNT=cores)
        outputs.append({path.name: path.read_bytes() for path in (project.folder / "data/merged").iterdir()})
    assert outputs[0] == outputs[1] and set(outputs[0]) == {"faces.npy", "index.csv", "rejected.csv", "sources.json"}


def test_three_channels_keep_the_colours(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[sfew]"), ("channels: 1", "channels: 3"))
    project.edit("params.yaml", ("size: 48", "size: 40"))
    project.give("sfew", drawn("sfew") / "sfew.zip")
    project.stage("merge")
    faces = open_faces(project.folder / "data/merged/faces.npy")
    assert faces.shape[1:] == (40, 40, 3) and np.ptp(faces.astype(int), axis=3).mean() > 2


def test_drawn_faces_are_marked_in_the_index(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[ck48]"))
    project.give("ck48", drawn("ck48") / "ck48.zip")
    (project.folder / "data/archives/ck48/source.json").write_text(json.dumps(source(drawn=True)))
    assert "published" not in project.stage("merge")
    assert set(read_index(project.folder / "data/merged/index.csv")["dataset"]) == {"drawn-ck48"}


def test_archives_of_unlisted_data_sets_are_removed(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[ck48]"))
    for dataset in ("ck48", "jaffe"):
        project.give(dataset, drawn(dataset) / f"{dataset}.zip")
    project.stage("merge")
    assert [folder.name for folder in (project.folder / "data/archives").iterdir()] == ["ck48"]


@pytest.mark.parametrize("damage", ["truncated", "empty", "other", "unknown label"])
def test_a_bad_archive_raises_input_error_and_nothing_is_written(project: Project, drawn, tmp_path: Path, damage: str):
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


@pytest.mark.parametrize("kind", ["part gone", "many unreadable"])
def test_nothing_falls_out_in_silence(project: Project, drawn, tmp_path: Path, kind: str):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[sfew]"))
    members = {}
    with zipfile.ZipFile(drawn("sfew", 120) / "sfew.zip") as archive:
        for number, name in enumerate(archive.namelist()):
            content, part = archive.read(name), name.split("/")[0]
            if (kind, part) != ("part gone", "Val"):
                members[name] = content[:90] if kind == "many unreadable" and number % 12 == 0 else content
    project.give("sfew", zipped(tmp_path / "sfew.zip", members))
    line = project.refused("merge")
    lack = "pictures (10%)" if kind == "many unreadable" else "the official test part"
    assert "missing in sfew" in line and lack in line
    assert kind == "part gone" or ("not a picture, or cut short" in line and "for example " in line)
    project.edit("params.yaml", ("accept_missing: []", "accept_missing: [sfew]"))
    assert "missing, as data.accept_missing allows" in project.stage("merge")
    counts = json.loads((project.folder / "metrics/merge.json").read_text())
    assert any(lack in missing for missing in counts["sfew"]["missing"])


def test_too_many_rejected_members_are_refused(project: Project, drawn, tmp_path: Path):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[jaffe]"), ("rejected: 100000", "rejected: 99"))
    with zipfile.ZipFile(drawn("jaffe") / "jaffe.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    project.give("jaffe", zipped(tmp_path / "jaffe.zip", {**members, **{f"{n}.txt": "notes" for n in range(100)}}))
    assert "more than 99 files or rows that are no faces" in project.refused("merge")


def test_names_of_members_are_one_line_in_the_tables(project: Project, drawn, tmp_path: Path):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[jaffe]"))
    with zipfile.ZipFile(drawn("jaffe") / "jaffe.zip") as archive:
        members = {name.replace("KA.AN1.", "a\nb/KA.AN1."): archive.read(name) for name in archive.namelist()}
    members["\u202e\r\n.txt"] = b"x"
    project.give("jaffe", zipped(tmp_path / "jaffe.zip", members))
    project.stage("merge")
    merged = project.folder / "data/merged"
    assert len((merged / "index.csv").read_text().splitlines()) == len(read_index(merged / "index.csv")) + 1
    assert "\\u202e\\x0d\\x0a.txt" in (merged / "rejected.csv").read_text()
    assert any(name.startswith("jaffedbase/a\\x0ab/KA.AN1.") for name in read_index(merged / "index.csv")["file"])


def test_the_second_of_two_runs_is_one_line(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[jaffe]"))
    project.give("jaffe", drawn("jaffe") / "jaffe.zip")
    with atomic_output(project.folder / "data/merged") as folder:
        folder.mkdir()
        done = project.run("python", "-m", "stages.merge")
    line = "ERROR: data/merged: another run is writing it now; wait until it has ended\n"
    assert (done.returncode, done.stderr) == (1, line)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        *((content, "damaged") for content in ("", "{", "[]", '"drawn"')),
        ("{}", "from: missing"),
        ('{"from": "a", "licence": "b", "drawn": "no", "files": {}}', "drawn: 'no' is not allowed"),
    ],
)
def test_a_damaged_provenance_is_one_line(project: Project, content: str, message: str):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[jaffe]"))
    file = project.folder / "data/archives/jaffe/source.json"
    file.parent.mkdir(parents=True)
    file.write_text(content)
    assert f"data/archives/jaffe/source.json: {message}" in project.refused("merge")


def test_nothing_is_removed_behind_a_link(project: Project, drawn, tmp_path: Path):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[jaffe]"))
    project.give("jaffe", drawn("jaffe") / "jaffe.zip")
    archives = project.folder / "data/archives"
    (tmp_path / "other").mkdir()
    (tmp_path / "other/precious.txt").write_text("mine")
    (archives / "more").symlink_to(tmp_path / "other")
    project.stage("merge")
    archives.rename(tmp_path / "collection")
    (tmp_path / "collection/album").mkdir()
    archives.symlink_to(tmp_path / "collection")
    project.stage("merge")
    assert (tmp_path / "other/precious.txt").exists() and (tmp_path / "collection/album").exists()


def test_the_table_writer_rejects_a_face_of_another_size(tmp_path: Path):
    face = Face("f", "anger", "", "", "", "", "0", bytes(48 * 48))
    with TableWriter(tmp_path, 48, 1) as table:
        table.append("a", face)
        table.append("a", Rejected("g", "why"))
        with pytest.raises(ValueError, match="does not fit"):
            table.append("a", face._replace(pixels=bytes(47 * 48)))
    assert open_faces(tmp_path / "faces.npy").shape == (1, 48, 48)
    assert len(read_index(tmp_path / "index.csv")) == 1


def test_a_missing_archive_is_named(project: Project, drawn):
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", "[ck48, jaffe]"))
    project.give("ck48", drawn("ck48") / "ck48.zip")
    assert project.refused("merge") == "data/archives/jaffe: no archive; run `dvc repro download@jaffe`"
