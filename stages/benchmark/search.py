"""Search the chosen model's training params with Optuna, as `search` in params.yaml says; each trial is an experiment.

The experiments are the only record. A search that goes on asks for every trial anew, from the first, and trains those
after the last that is recorded: it comes out as if it had never been stopped.
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

from stages.base import params
from stages.base.errors import InputError, guard
from stages.benchmark.jobs.lock import alone
from stages.benchmark.jobs.trials import Failure, Trials

SHOWN = 5  # of the best
FAILURES = 3  # in a row end the search


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--trials", type=int, default=20, help="of the whole search, with those before it was stopped")
    options.add_argument("--name", default="search", help="its trials are the experiments NAME-0, NAME-1, ...")
    given = options.parse_args()
    p = params.load()
    if given.trials < 1:
        raise InputError(f"--trials: {given.trials} is too few; give 1 or more")
    if not re.fullmatch(r"\w[\w-]*", given.name):
        raise InputError(f"--name: {given.name!r} cannot name experiments; use letters, digits, - and _")
    if not p.search:
        raise InputError("params.yaml: search: nothing to try; name keys of `train`, with low and high, or choices")
    try:
        with alone(Path(f".dvc/tmp/search/{given.name}.lock"), f"trials of a search named {given.name!r}") as lock:
            study = search(p, Trials(p, given.name, lock.fileno()), given.trials)
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on")
    best = sorted(study.get_trials(states=[TrialState.COMPLETE]), key=lambda trial: -trial.value)[:SHOWN]
    if not best:
        raise InputError("no trial came to its end; what each failed by stands above")
    rows = [{"experiment": f"{given.name}-{t.number}", "macro-F1": f"{t.value:.4f}", **t.params} for t in best]
    print(pd.DataFrame(rows, index=range(1, len(rows) + 1)).to_string(float_format="{:.3g}".format, na_rep="null"))
    print(f"take the best over: dvc exp apply {rows[0]['experiment']} && dvc repro")


def search(p: params.Params, trials: Trials, count: int) -> optuna.Study:
    """The study of so many trials: those that are recorded and, one after another, the others.

    Raises InputError as `Trials` does, and where `FAILURES` trials in a row fail.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=p.seed))
    failures = 0
    space = {key: _distribution(p, key) for key in sorted(p.search)}
    for number in tqdm(range(count), desc="search", unit="trial", disable=None):
        trial = study.ask(space)
        values = ", ".join(f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
                           for key, value in trial.params.items())  # fmt: skip
        try:
            value, failures = trials.value(number, trial.params), 0
        except Failure as failure:
            study.tell(trial, state=TrialState.FAIL)
            tqdm.write(f"trial {number} failed: {values}: {failure}", sys.stderr)
            failures += 1
            if failures == FAILURES:
                raise InputError(f"{FAILURES} trials in a row failed, the last by: {failure}") from None
        else:
            study.tell(trial, value)
            tqdm.write(f"trial {number}: validation macro-F1 {value:.4f}: {values}", sys.stderr)
    return study


def _distribution(p: params.Params, key: str) -> BaseDistribution:
    tried = p.search[key]
    if tried.choices:
        return CategoricalDistribution(tried.choices)
    low, high = (getattr(p.tried({key: end}), key) for end in tried.ends)  # as `train` reads them: 0 may be 0.0
    return (IntDistribution if isinstance(low, int) else FloatDistribution)(low, high, log=tried.log)


if __name__ == "__main__":
    guard(main)
