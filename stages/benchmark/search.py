"""Search better training parameters for the chosen model with Optuna; each trial is a DVC experiment.

    python -m stages.benchmark.search --trials 30

What is tried stands under `search` in params.yaml; validation macro-F1 decides. The experiments are the only record: a
search that continues asks Optuna for every trial again, from the first, and trains those that no experiment records.
So it ends with the same trials as a search that was never stopped.
"""

import argparse

import optuna
import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from stages.base.errors import InputError, guard
from stages.base.progress import progress
from stages.benchmark.jobs.trials import TrialFailed, Trials, trials
from stages.params.complete import Params

BEST = 5  # trials that are printed at the end


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
    if not params.search:
        raise InputError("params.yaml: search: nothing to try; name keys of `train`, with low and high, or choices")
    with trials(params, options.name, ("train", "evaluate"), ("search",)) as series:
        study = search(params, series, options.trials)
    best = sorted(study.get_trials(states=[TrialState.COMPLETE]), key=lambda trial: -trial.values[0])[:BEST]
    if not best:
        raise InputError("no trial succeeded; the reasons are printed above")
    rows = [{"experiment": f"{options.name}-{t.number}", "macro-F1": f"{t.values[0]:.4f}", **t.params} for t in best]
    table = pd.DataFrame(rows, index=range(1, len(rows) + 1))
    print(table.to_string(float_format="{:.3g}".format, na_rep="null"))
    print(
        f"{rows[0]['experiment']} is the best of {len(study.trials)} on the same faces, so its macro-F1 is optimistic"
    )
    if params.split.by == "faces":
        print(
            "leaks: split.by faces deals faces of one subject, sequence or near-duplicates to training and validation"
        )
    print(_fair_benchmark(params))
    print(f"to use the best one: dvc exp apply {rows[0]['experiment']} && dvc repro")


def search(params: Params, series: Trials, count: int) -> optuna.Study:
    """Return the study of `count` trials, of which those without an experiment are run, one after another.

    The sampler is Optuna's TPE (Bergstra et al., Algorithms for Hyper-Parameter Optimization, 2011).

    Raises:
        InputError: as `Trials` does.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=params.seed))
    space = {key: _distribution(params, key) for key in sorted(params.search)}
    for number in progress(range(count), desc="search", unit="trial"):
        trial = study.ask(space)
        # Set under the model, where nothing overrides them.
        settings = {f"models.{params.model}.{key}": value for key, value in trial.params.items()}
        try:
            study.tell(trial, series.metrics(number, settings)["validation"]["macro_f1"])
        except TrialFailed:
            study.tell(trial, state=TrialState.FAIL)
    return study


def _fair_benchmark(params: Params) -> str:
    """Return a line that says by which folds a benchmark can rank the found model fairly."""
    split = params.split
    first = split.fold + (split.protocol == "cross_validation")
    used = {(first + number) % split.folds for number in range(split.validation_folds)}
    others = [fold for fold in params.benchmark.folds if fold not in used]
    names = ", ".join(map(str, sorted(used)))
    return (
        f"in a benchmark, faces of fold {names} favour it over models without a search; rank by others: "
        f"benchmark.folds={others}"
    )


def _distribution(params: Params, key: str) -> BaseDistribution:
    tried = params.search[key]
    if tried.choices:
        return CategoricalDistribution(tried.choices)
    # The ends have the type that `train` reads them as: 0 may be meant as 0.0.
    low, high = (getattr(params.tried({key: end}), key) for end in tried.extremes)
    return (IntDistribution if isinstance(low, int) else FloatDistribution)(low, high, log=tried.log)


if __name__ == "__main__":
    guard(main)
