"""Trials, which are DVC experiments: run in a copy of the project, and read back as they are recorded."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from tqdm import tqdm

from stages.base.errors import InputError, Stopped
from stages.benchmark.jobs.dvc_process import DVC
from stages.benchmark.jobs.lock import locked
from stages.params.complete import Params

DATA = ("merge", "clean", "split", "augment")  # they write what training and evaluation read, one from another
PROGRESS = re.compile(r"epoch |\w[^|]*: +\d+%\|")  # lines of `run_epochs` and of `base.progress`, which are passed on
MAX_FAILURES = 3  # failed trials in a row that end a series

Settings = Mapping[str, Any]  # values by their keys in params.yaml, such as `train.lr`


class TrialFailed(Exception):  # noqa: N818 (the name says what happened)
    """A trial that did not succeed. The message is one line that gives the reason."""


class Trials:
    """The trials of one series, numbered from 0.

    Args:
        params: the parameters that all trials share.
        name: trial n is the experiment `<name>-<n>`.
        stages: the stages that differ between trials; all trials share the outputs of the other stages in `DATA`.
        sections: sections of params.yaml that determine what later trials are.
        sequential: whether later trials were chosen knowing which earlier ones failed, so that those stay failed.
        environment: environment variables for the processes that run trials.

    Raises:
        InputError: the data are not up to date, or the pipeline has never been run.
    """

    def __init__(
        self,
        params: Params,
        name: str,
        stages: Collection[str],
        sections: Collection[str],
        sequential: bool,
        environment: Mapping[str, str],
    ) -> None:
        self._params, self._name, self._stages, self._environment = params, name, stages, environment
        self._sections, self._sequential, self._failures = sections, sequential, 0
        if not set(stages).issuperset(DATA):
            _check_data()
        lock = YAML(typ="safe").load(Path("dvc.lock"))["stages"]
        if "report" not in lock:  # `dvc exp apply` fails where a stage with cached outputs never ran
            raise InputError("dvc.lock: the pipeline was never run to its end here; run: dvc repro")
        self._data = self._hashes(lock)
        numbers = re.findall(rf"/{name}-(\d+)$", _references(f"{name}-*"), re.MULTILINE)
        self._last = max(map(int, numbers), default=-1)

    def metrics(self, number: int, settings: Settings) -> dict[str, Any]:
        """Return the content of metrics/metrics.json of a trial; the trial is run if no experiment records it.

        One line is printed to standard error: the validation macro-F1, or why the trial failed.

        Args:
            number: the number of the trial.
            settings: what the trial changes in params.yaml.

        Raises:
            TrialFailed: the trial failed, now or in an earlier run of the series.
            InputError: the experiment was made with other parameters, data or code, or `MAX_FAILURES` trials in a row
                failed.
        """
        experiment, values = f"{self._name}-{number}", self._described(settings)
        try:
            if not recorded(experiment):
                if (
                    self._sequential and number < self._last
                ):  # it failed in an earlier run, and later trials were chosen knowing that
                    raise TrialFailed("no experiment records it, but one records a later trial")
                self._run(experiment, settings)
        except TrialFailed as failure:
            tqdm.write(f"trial {number} failed: {values}: {failure}", sys.stderr)
            self._failures += 1
            if self._failures == MAX_FAILURES:
                raise InputError(f"{MAX_FAILURES} trials in a row failed, the last because: {failure}") from None
            raise
        self._failures = 0
        try:
            metrics = self._read(experiment, settings)
        except (KeyError, subprocess.CalledProcessError):
            raise InputError(
                f"{experiment} is an experiment but not a trial of this command; {_advice(experiment)}"
            ) from None
        tqdm.write(f"trial {number}: validation macro-F1 {metrics['validation']['macro_f1']:.4f}: {values}", sys.stderr)
        return metrics

    def _run(self, experiment: str, settings: Settings) -> None:
        options = []
        for key, value in settings.items():
            options += ["-S", f"++{key}={json.dumps(value)}"]
        command = [*DVC, "exp", "run", "--temp", "-n", experiment, *options, "evaluate"]
        errors = []
        with subprocess.Popen(
            command,
            env={**os.environ, **self._environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            for line in process.stderr or ():
                errors.append(line.strip())
                if PROGRESS.match(line):
                    tqdm.write(line, sys.stderr, end="")
        if not recorded(experiment):
            raise TrialFailed(_reason(errors))

    def _read(self, experiment: str, settings: Settings) -> dict[str, Any]:
        reference, yaml = _reference(experiment), YAML(typ="safe")
        lock = yaml.load(_git("show", f"{reference}:dvc.lock"))["stages"]
        stages = [lock[name] for name in self._stages]
        file = yaml.load(_git("show", f"{reference}:params.yaml"))
        recorded: dict[str, Any] = {key: file[key] for key in self._sections}
        for stage in stages:
            recorded |= stage.get("params", {}).get("params.yaml", {})
        current = self._params.changed(settings).model_dump(exclude_unset=True)
        expected: dict[str, Any] = {key: reduce(getitem, key.split("."), current) for key in recorded}
        recorded |= {"launch": lock["train"]["cmd"], "data": self._hashes(lock)}
        expected |= {"launch": f"{self._params.launch} -m stages.train", "data": self._data}
        different = [key for key in expected if expected[key] != recorded[key]]
        files = [dependency["path"] for stage in stages for dependency in stage["deps"]]
        files.append(f"stages/architectures/{self._params.recipe.arch}.py")
        different += _git("diff", "--name-only", reference, "--", *files).splitlines()  # of the files that git has
        if different:
            raise InputError(
                f"{experiment} was made with a different {', '.join(different)}, so new trials could not be compared "
                f"with it; {_advice(experiment)}"
            )
        return json.loads(_git("show", f"{reference}:metrics/metrics.json"))

    def reference(self, number: int) -> str:
        """Return the git reference of the experiment of a trial that has been run."""
        return _reference(f"{self._name}-{number}")

    def _described(self, settings: Settings) -> str:
        values = {key.removeprefix(f"models.{self._params.model}."): value for key, value in settings.items()}
        return ", ".join(
            f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in values.items()
        )

    def _hashes(self, lock: dict[str, Any]) -> dict[str, str]:
        """Return the hash of every output that the trials share, by path."""
        shared = [stage for stage in DATA if stage not in self._stages]
        return {output["path"]: output["md5"] for stage in shared for output in lock[stage]["outs"]}


@contextmanager
def trials(
    params: Params, name: str, stages: Collection[str], sections: Collection[str] = (), sequential: bool = True
) -> Iterator[Trials]:
    """Yield the trials of a series, of which one process runs at a time; arguments and errors are those of `Trials`.

    Raises:
        InputError: also if `name` cannot be the name of an experiment.
        Stopped: the process is interrupted.
    """
    if not re.fullmatch(r"\w[\w-]*", name):
        raise InputError(f"--name: {name!r} cannot name experiments; use letters, digits, - and _")
    try:
        with locked(Path(f".dvc/tmp/trials/{name}.lock"), f"a trial named {name!r}") as environment:
            yield Trials(params, name, stages, sections, sequential, environment)
    except KeyboardInterrupt:
        raise Stopped("stopped; run the same command to continue") from None


def _check_data() -> None:
    """Raise InputError if the data that all trials share are not up to date."""
    command = [*DVC, "status", "--json", "--with-deps", "augment"]
    status = subprocess.run(command, capture_output=True, text=True, check=False)
    if status.returncode:
        raise InputError(f"dvc status: {_reason(status.stderr.splitlines())}")
    # Any change of params.yaml makes check outdated, and the fingerprints are written every time.
    if {name.rpartition(":")[2] for name in json.loads(status.stdout)} - {"check", "fingerprints"}:
        raise InputError("dvc.lock: the data do not match params.yaml and the code; run: dvc repro augment")


def recorded(experiment: str) -> bool:
    """Say whether there is an experiment of this name, from any commit."""
    return bool(_references(experiment))


def _references(experiment: str) -> str:
    """Return the git references of the experiments that match a name or pattern, from any commit, one per line."""
    return _git("for-each-ref", "--format=%(refname)", f"refs/exps/??/*/{experiment}")


def _reference(experiment: str) -> str:
    """Return the git reference of an experiment; InputError if experiments from several commits have this name."""
    found = _references(experiment).split()
    if len(found) > 1:
        raise InputError(f"{experiment}: experiments from {len(found)} commits have this name; {_advice(experiment)}")
    return found[0]


def _advice(experiment: str) -> str:
    return f"remove it by `dvc exp remove {experiment}`, or choose another name"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


def _reason(lines: list[str]) -> str:
    """Return the first error message among lines of standard error, or the last line."""
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return errors[0] if errors else " ".join(lines[-1:]) or "no reason was printed"
