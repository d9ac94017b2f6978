"""Measure how much metrics differ between splits of the same faces → metrics/split_study.json.

    python -m stages.benchmark.split_study --splits 20
    python -m stages.benchmark.split_study --splits 20 --name short -S train.epochs=4

The chosen model is trained and evaluated on splits with the seeds 0, 1, 2, … (`split.seed`); each is a DVC experiment.
A study that was stopped continues with the same command. Beside the standard deviation over splits stands half the
width of the 95 % interval of one run, which accounts for the choice of the test faces only.
"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from stages.base.errors import InputError, guard
from stages.base.files import write_json
from stages.base.progress import progress
from stages.benchmark.jobs.trials import TrialFailed, trials
from stages.evaluation.notes import notes
from stages.params.complete import Params

STAGES = ("split", "augment", "train", "evaluate")  # what a trial runs
SECTIONS = ("model", "seed", "split", "augment", "train", "models")  # of params.yaml, which these stages read
METRICS = r"(test|validation)\.(per_dataset\.[^.]+\.)?(macro_f1|accuracy)"  # keys of metrics.json


def main() -> None:
    """Run the splits that are missing, then write and print how much metrics differ."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.benchmark.split_study", description=(__doc__ or "").split(" →")[0]
    )
    parser.add_argument("--splits", type=int, default=20, help="of the whole study, including earlier ones")
    parser.add_argument("--name", default="split", help="the splits are the experiments NAME-0, NAME-1, ...")
    parser.add_argument(
        "-S", action="append", default=[], metavar="KEY=VALUE", help="another value than in params.yaml"
    )
    options = parser.parse_args()
    if options.splits < 2:
        raise InputError(f"--splits: {options.splits} is too few; give 2 or more")
    settings = dict(map(_setting, options.S))
    params = Params.load().changed(settings)
    found, failed = {}, []
    with trials(params, options.name, STAGES) as series:
        for seed in progress(range(options.splits), desc="study", unit="split"):
            try:
                found[str(seed)] = series.metrics(seed, {**settings, "split.seed": seed})
            except TrialFailed:
                failed.append(seed)
    if len(found) < 2:
        raise InputError("fewer than two splits succeeded; the reasons are printed above")

    values, summary = summarised(found)
    drawn = any(metrics["drawn_faces"] for metrics in found.values())
    leaks = max((metrics.get("leaks", {}) for metrics in found.values()), key=lambda leak: leak.get("faces", 0))
    facts = {"model": params.model, "settings": settings, "failed": failed, "drawn_faces": drawn, "leaks": leaks}
    tables = {"summary": _by_row(summary), "splits": _by_row(values)}
    write_json(facts | tables, Path("metrics/split_study.json"))
    print(f"{params.model} on {len(found)} splits; half_width: of the 95 % interval of one run, on average")
    print(summary.to_string(float_format="{:.3f}".format, na_rep=""))
    for note in notes(facts):
        print(note)


def summarised(found: dict[str, dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return metrics by split, and their mean, standard deviation and range over splits.

    Args:
        found: the content of metrics.json of each split.

    Returns:
        A row for each split with the `METRICS` as columns; and a row for each of these metrics with the columns mean,
        std, min, max, and half_width (half the width of the 95 % interval, a mean over splits, NaN without interval).
    """
    flat = pd.json_normalize(list(found.values())).set_axis(list(found), axis=0)
    values = flat.loc[:, flat.columns.str.fullmatch(METRICS)]
    summary = values.agg(["mean", "std", "min", "max"]).T
    for name in summary.index:
        parent, _, metric = name.rpartition(".")
        low, high = (flat.get(f"{parent}.interval.{metric}.{end}") for end in ("low", "high"))
        summary.loc[name, "half_width"] = ((high - low) / 2).mean() if low is not None else float("nan")
    return values, summary


def _by_row(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return the values of each row by column, to six decimals, without missing ones."""
    return {name: row.dropna().round(6).to_dict() for name, row in table.iterrows()}


def _setting(text: str) -> tuple[str, Any]:
    """Return key and value of an option -S."""
    key, equals, value = text.partition("=")
    if not equals or key.partition(".")[0] not in SECTIONS or key == "split.seed":
        raise InputError(f"-S: {text!r} must be <key>=<value>, with a key of {', '.join(SECTIONS)}, but not split.seed")
    try:
        return key, YAML(typ="safe").load(value)
    except Exception:  # the parser raises what it happens to meet, such as ValueError for !!int abc
        raise InputError(f"-S: {value!r} is no value for {key}") from None


if __name__ == "__main__":
    guard(main)
