"""The check before the benchmark: its runs leave out one more fold than the main pipeline's."""

from helpers.project import Project
from stages.curation.demo_split import check_demo
from stages.params.complete import Params


def test_drawn_faces_that_suffice_for_the_main_pipeline_may_not_for_a_run_that_ranks(project: Project) -> None:
    changes = {
        "data.datasets": ["jaffe"],
        "sources.demo.jaffe.faces": 60,
        "split.folds": 6,
        "split.validation_folds": 4,
    }
    params = Params.load(project.folder / "params.yaml").changed(changes)
    check_demo(params.data, params.sources.demo, params.split, list(range(6)))
    project.edit(
        "params.yaml",
        ("datasets: [ck48, jaffe, sfew]", "datasets: [jaffe]"),
        ("jaffe: {faces: 150}", "jaffe: {faces: 60}"),
        ("  folds: 5", "  folds: 6"),
        ("validation_folds: 1", "validation_folds: 4"),
    )
    line = project.refused("benchmark.check")
    assert line.startswith("params.yaml: sources.demo: fold 0 would have no face labelled sadness to train on")
