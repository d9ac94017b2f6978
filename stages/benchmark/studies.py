"""Run studies, and put their results beside those of others → metrics/studies.json, metrics/studies.md.

    python -m stages.benchmark.studies                # all studies that are not done
    python -m stages.benchmark.studies NAME ...       # these studies
    python -m stages.benchmark.studies --page         # only write metrics/studies.md again

The studies stand in stages/benchmark/studies.yaml. Each run of a study, a fold with a seed, is a DVC experiment:
NAME-0, NAME-1, … A study that was stopped continues with the same command.
"""

import argparse
import sys
from itertools import product
from pathlib import Path
from typing import Any

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.base.files import read_json, write_json
from stages.benchmark.jobs.trials import TrialFailed, recorded, trials
from stages.benchmark.records import StudyResults
from stages.benchmark.study import Study, chosen, not_done, read_studies
from stages.benchmark.study_results import StudyRun, read_run, study_results
from stages.evaluation.notes import notes
from stages.params.complete import Params
from stages.params.data import Data
from stages.reporting.studies_page import render_studies

FILE, RESULTS, PAGE = Path("stages/benchmark/studies.yaml"), Path("metrics/studies.json"), Path("metrics/studies.md")
STAGES = ("merge", "clean", "split", "augment", "train", "evaluate")  # what a run runs
TABLE = "data/predictions/test.csv"


def main() -> None:
    """Run the studies that are asked for, and write the results after each."""
    parser = argparse.ArgumentParser("python -m stages.benchmark.studies", description=(__doc__ or "").split(" →")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="a study; default: all that are not done")
    parser.add_argument("--page", action="store_true", help="run nothing; write the page of the results that there are")
    options = parser.parse_args()
    studies = read_studies(FILE)
    drawn = Data.load().source == "demo"
    todo = chosen(studies, options.names) if options.names else not_done(studies, _results(), drawn)
    failed = False
    for name, study in {} if options.page else todo.items():
        print(f"{name}: {study.about}", flush=True)
        try:
            if drawn and not _results().get(name, {"drawn_faces": True})["drawn_faces"]:
                raise InputError(f"{RESULTS} has its result on real faces, and data.source is demo; set data.source")
            result = study_results(_runs(name, study, studies), averaged=bool(study.ensemble))
        except (InputError, TrialFailed) as error:
            print(f"ERROR: {name}: {error}", file=sys.stderr, flush=True)
            failed = True
            continue
        results = _results() | {name: study.determining | result}  # another process may have added some
        write_json(dict(sorted(results.items())), RESULTS)
        _write_page(studies)
        for metric in ("test.accuracy", "test.macro_f1"):
            print(f"{metric}: {result['metrics'][metric]['value']:.3f}")
        for note in notes(result):
            print(note)
    if options.page:
        _write_page(studies)
    if failed:
        sys.exit(1)


def _write_page(studies: dict[str, Study]) -> None:
    with atomic_output(PAGE) as path:
        waiting = not_done(studies, _results(), drawn=True)
        path.write_text(
            render_studies({name: study.model_dump() for name, study in studies.items()}, _results(), list(waiting))
        )


def _results() -> dict[str, Any]:
    """Return the results that there are, by the name of the study."""
    return read_json(RESULTS, StudyResults) if RESULTS.exists() else {}


def _runs(name: str, study: Study, studies: dict[str, Study]) -> list[StudyRun]:
    """Return the runs of a study; those that no experiment records are run, one after another."""
    if study.ensemble:
        return [run for member in study.ensemble for run in _runs(member, studies[member], studies)]
    params, runs = Params.load().changed(study.settings), []
    for model in (params.recipe.init, *params.recipe.teachers):
        start = model.rpartition("-")[0]
        if start in studies and not recorded(model):
            raise InputError(f"it learns from the model of {model}, which was not run here; run {start} first")
    with trials(params, name, STAGES, ("data",), sequential=False) as series:
        for number, (fold, seed) in enumerate(product(study.folds, study.seeds)):
            metrics = series.metrics(number, {**study.settings, "split.fold": fold, "seed": seed})
            runs.append(read_run(series.reference(number), TABLE, metrics))
    return runs


if __name__ == "__main__":
    guard(main)
