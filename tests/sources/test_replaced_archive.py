"""DVC notices an archive that is replaced at the same path, and finds a relative path in its copies of the clone."""

import shutil
from pathlib import Path

import pytest

from helpers.project import Project
from helpers.repository import commit, ran, small
from stages.base.files import read_json, sha256
from stages.sources.provenance import Source

PATH = "    jaffe: {path: null, sha256: null}"


@pytest.fixture
def repository(project: Project, drawn) -> Project:
    """A repository whose only data set is a local archive, at a relative path that git ignores."""
    repository = small(project)
    shutil.copy(drawn("jaffe", 70) / "jaffe.zip", project.folder / "jaffe.zip")
    project.edit("params.yaml", ("source: demo", "source: local"), ("[ck48, jaffe]", "[jaffe]"))
    project.edit("params.yaml", (PATH, "    jaffe: {path: jaffe.zip, sha256: null}"))
    project.edit(".gitignore", ("/data/?*", "/*.zip\n/data/?*"))
    commit(project)
    return repository


def fetched(project: Project) -> str:
    return read_json(project.folder / "data/archives/jaffe/source.json", Source)["files"]["jaffe.zip"]


def test_the_next_repro_fetches_a_replaced_archive_again(repository: Project, drawn):
    archive, repro = repository.folder / "jaffe.zip", ("dvc", "repro", "download@jaffe")
    assert ran(repository.ok(*repro)) == ["check", "download@jaffe"]
    assert ran(repository.ok(*repro)) == [] and fetched(repository) == sha256(archive)
    archive.unlink()
    assert ran(repository.ok(*repro)) == []  # what was fetched is still right where the archive is not
    shutil.copy(drawn("jaffe", 80) / "jaffe.zip", archive)
    assert ran(repository.ok(*repro)) == ["download@jaffe"] and fetched(repository) == sha256(archive)


@pytest.mark.parametrize("content", ["", "[]", "<<<<<<< ours\n{}\n"])
def test_damaged_fingerprints_are_one_line(project: Project, content: str):
    (project.folder / "data/fingerprints/local.json").write_text(content)
    line = project.refused("download", "--fingerprints")
    assert line == "data/fingerprints/local.json: damaged; remove it and run again"


@pytest.mark.parametrize("arguments", [[], ["jaffe", "ck48"], ["../jaffe"]])
def test_download_of_anything_but_one_data_set_is_one_line(project: Project, arguments: list[str]):
    assert project.refused("download", *arguments)


@pytest.mark.slow
def test_a_relative_path_works_in_dvcs_copies_of_the_clone(repository: Project, tmp_path: Path):
    repository.ok("dvc", "repro", "merge")
    commit(repository)
    shutil.copy(repository.folder / "jaffe.zip", repository.folder / "again.zip")
    for mode in ("--temp", "--queue"):
        change = f"sources.local.jaffe.path={'again' if mode == '--temp' else './again'}.zip"
        repository.ok("dvc", "exp", "run", mode, "-n", mode.strip("-"), "-S", change, "merge")
    repository.ok("dvc", "exp", "run", "--run-all")
    assert {"temp", "queue"} <= set(repository.ok("dvc", "exp", "list", "--name-only").split())
