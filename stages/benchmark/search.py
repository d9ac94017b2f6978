"""Search better training parameters for the chosen model with Optuna; each trial is a DVC experiment.

    python -m stages.benchmark.search --trials 30

What is tried stands under `search` in params.yaml; validation macro-F1 decides. The experiments are the only record: a
search that continues asks Optuna for every trial again, from the first, and trains those that no experiment records.
So it ends with the same trials as a search that was never stopped.
"""

import argparse
import re
import sys
from pathlib import Path

import optuna
import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState
from tqdm import tqdm

from stages.base.errors import InputError, Stopped, guard
from stages.benchmark.jobs.lock import locked
from stages.benchmark.jobs.trials import TrialFailed, Trials
from stages.params.complete import Params

BEST = 5  # trials that are printed at the end
MAX_FAILURES = 3  # failed trials in a row that end the search


def main() -> None:
    """Run the trials that are missing, and print the best."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.benchmark.search", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--trials", type=int, default=20, help="of the whole search, including earlier ones")
    parser.add_argument("--name", default="search", help="the trials are the experiments NAME-0, NAME-1, ...")
    options = parser.parse_args()
    params = Params.load()
    if options.trials < 1:
        raise InputError(f"--trials: {options.trials} is too few; give 1 or more")
    if not re.fullmatch(r"\w[\w-]*", options.name):
        raise InputError(f"--name: {options.name!r} cannot name experiments; use letters, digits, - and _")
    if not params.search:
        raise InputError("params.yaml: search: nothing to try; name keys of `train`, with low and high, or choices")
    try:
        lock = Path(f".dvc/tmp/search/{options.name}.lock")
        with locked(lock, f"a trial of a search named {options.name!r}") as environment:
            study = search(params, Trials(params, options.name, environment), options.trials)
    except KeyboardInterrupt:
        raise Stopped("stopped; run the same command to continue") from None
    best = sorted(study.get_trials(states=[TrialState.COMPLETE]), key=lambda trial: -trial.values[0])[:BEST]
    if not best:
        raise InputError("no trial succeeded; the reasons are printed above")
    rows = [{"experiment": f"{options.name}-{t.number}", "macro-F1": f"{t.values[0]:.4f}", **t.params} for t in best]
    table = pd.DataFrame(rows, index=range(1, len(rows) + 1))
    print(table.to_string(float_format="{:.3g}".format, na_rep="null"))
    print(f"to use the best one: dvc exp apply {rows[0]['experiment']} && dvc repro")


def search(params: Params, trials: Trials, count: int) -> optuna.Study:
    """Return the study of `count` trials, of which those without an experiment are run, one after another.

    The sampler is Optuna's TPE (Bergstra et al., Algorithms for Hyper-Parameter Optimization, 2011).

    Raises:
        InputError: as `Trials` does, or `MAX_FAILURES` trials in a row failed.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=params.seed))
    failures = 0
    space = {key: _distribution(params, key) for key in sorted(params.search)}
    for number in tqdm(range(count), desc="search", unit="trial", disable=None):
        trial = study.ask(space)
        values = ", ".join(
            f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in trial.params.items()
        )
        try:
            macro_f1, failures = trials.validation_macro_f1(number, trial.params), 0
        except TrialFailed as failure:
            study.tell(trial, state=TrialState.FAIL)
            tqdm.write(f"trial {number} failed: {values}: {failure}", sys.stderr)
            failures += 1
            if failures == MAX_FAILURES:
                raise InputError(f"{MAX_FAILURES} trials in a row failed, the last because: {failure}") from None
        else:
            study.tell(trial, macro_f1)
            tqdm.write(f"trial {number}: validation macro-F1 {macro_f1:.4f}: {values}", sys.stderr)
    return study


def _distribution(params: Params, key: str) -> BaseDistribution:
    tried = params.search[key]
    if tried.choices:
        return CategoricalDistribution(tried.choices)
    # The ends have the type that `train` reads them as: 0 may be meant as 0.0.
    low, high = (getattr(params.tried({key: end}), key) for end in tried.extremes)
    return (IntDistribution if isinstance(low, int) else FloatDistribution)(low, high, log=tried.log)


if __name__ == "__main__":
    guard(main)
