"""The real archives: what their publishers say of them, and the defects that are known of them.

FER_ARCHIVES names a folder with ck48.zip, jaffe.zip, sfew.zip, fer2013.zip, fer2013.csv and rafdb.zip.
"""

import json
import os
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from helpers.project import Project
from helpers.splits import straddling
from stages.datasets.readers import READERS
from stages.faces.table import read_index

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("FER_ARCHIVES" not in os.environ, reason="FER_ARCHIVES does not name the real archives' folder"),
]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """All five data sets, merged, cleaned, split and augmented."""
    project = Project.copy(tmp_path_factory.mktemp("real") / "project")
    project.edit("params.yaml", ("[ck48, jaffe, sfew]", f"[{', '.join(READERS)}]"))
    for dataset in READERS:
        project.give(dataset, Path(os.environ["FER_ARCHIVES"]) / f"{dataset}.zip")
    for stage in ("merge", "clean", "split", "augment"):
        project.stage(stage)
    return project


def metrics(project: Project, stage: str) -> dict:
    return json.loads((project.folder / f"metrics/{stage}.json").read_text())


def test_every_member_is_a_face_or_rejected_and_counts_are_as_published(real: Project):
    index = read_index(real.folder / "data/merged/index.csv")
    rejected = pd.read_csv(real.folder / "data/merged/rejected.csv")
    assert len(index) + len(rejected) == 53711
    assert index["dataset"].value_counts().to_dict() == {
        "ck48": 927, "jaffe": 213, "sfew": 1291, "fer2013": 35887, "rafdb": 15339,
    }  # fmt: skip
    assert rejected["reason"].value_counts().to_dict() == {"label contempt is not among data.labels": 54}
    assert all(counts["more_than_published"] == {} for counts in metrics(real, "merge").values())
    assert set(index.loc[index["dataset"] == "jaffe", "crop"]) == {"detected"}


def test_fer2013_as_a_table_is_fer2013_as_folders(real: Project, tmp_path: Path):
    table = Project.copy(tmp_path / "table")
    table.edit("params.yaml", ("[ck48, jaffe, sfew]", "[fer2013]"))
    table.give("fer2013", Path(os.environ["FER_ARCHIVES"]) / "fer2013.csv")
    table.stage("merge")
    folders = read_index(real.folder / "data/merged/index.csv").query("dataset == 'fer2013'")
    rows = [read_index(table.folder / "data/merged/index.csv"), folders]
    assert Counter(zip(*(rows[0][c] for c in ("sha256", "label", "official")))) == Counter(
        zip(*(rows[1][c] for c in ("sha256", "label", "official")))
    )


def test_the_known_defects_are_found(real: Project):
    counts = metrics(real, "clean")
    assert counts["sfew"]["removed"]["near-constant picture"] == 12
    fer2013 = counts["fer2013"]
    assert (fer2013["duplicate_groups"], fer2013["redundant_faces"]) == (1516, 1853)
    assert (fer2013["conflicting_groups"], fer2013["conflicting_faces"]) == (57, 160)
    assert (fer2013["test_faces_also_in_train"], fer2013["val_faces_also_in_train"]) == (288, 280)
    assert fer2013["removed"]["near-constant picture"] == 13
    assert counts["rafdb"]["duplicate_groups"] == 3


def test_nothing_straddles(real: Project):
    index = read_index(real.folder / "data/split/index.csv")
    assert straddling(index) == {"subject": 0, "sequence": 0, "cluster": 0}
    assert index.loc[index["dataset"] == "ck48", "sequence"].nunique() == 309  # of 327, 18 show contempt
    official = index["dataset"].isin(["sfew", "fer2013", "rafdb"])
    assert (index["split"][official] == "test").eq(index["official"][official] == "test").all()
    copies = read_index(real.folder / "data/augmented/index.csv")
    parents = index.set_index("id").loc[copies["parent"]]
    assert (parents["fold"].to_numpy() == copies["fold"].to_numpy()).all() and (parents["split"] == "train").all()
