"""Trials of a search as DVC experiments: run in a copy of the project, and read back as they are recorded."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from tqdm import tqdm

from stages.base.errors import InputError
from stages.params.complete import Params

DATA = ("merge", "split", "augment")  # they write what training and evaluation read
DVC = (sys.executable, "-m", "dvc")


class TrialFailed(Exception):  # noqa: N818 (the name says what happened)
    """A trial that did not succeed. The message is one line that gives the reason."""


class Trials:
    """The trials of one search, numbered from 0.

    Args:
        params: the parameters that all trials share.
        name: trial n is the experiment `<name>-<n>`.
        environment: environment variables for the processes that run trials.

    Raises:
        InputError: the data are not up to date, or the pipeline has never been run.
    """

    def __init__(self, params: Params, name: str, environment: Mapping[str, str]) -> None:
        self._params, self._name, self._environment = params, name, environment
        command = [*DVC, "status", "--json", "--with-deps", "augment"]
        status = subprocess.run(command, capture_output=True, text=True, check=False)
        if status.returncode:
            raise InputError(f"dvc status: {_reason(status.stderr.splitlines())}")
        # Any change of params.yaml makes check outdated, and the fingerprints are written every time.
        if {name.rpartition(":")[2] for name in json.loads(status.stdout)} - {"check", "fingerprints"}:
            raise InputError("dvc.lock: the data do not match params.yaml and the code; run: dvc repro augment")
        stages = YAML(typ="safe").load(Path("dvc.lock"))["stages"]
        if "report" not in stages:  # `dvc exp apply` fails where a stage with cached outputs never ran
            raise InputError("dvc.lock: the pipeline was never run to its end here; run: dvc repro")
        self._data = _hashes(stages)
        numbers = re.findall(rf"/{name}-(\d+)$", _references(f"{name}-*"), re.MULTILINE)
        self._last = max(map(int, numbers), default=-1)

    def validation_macro_f1(self, number: int, values: dict[str, Any]) -> float:
        """Return the validation macro-F1 of a trial, 0 to 1; the trial is run if no experiment records it.

        Args:
            number: the number of the trial.
            values: the values of the recipe that it tries.

        Raises:
            TrialFailed: the trial failed, now or in an earlier run of the search.
            InputError: the experiment was made with other parameters, data or code.
        """
        experiment = f"{self._name}-{number}"
        if not _references(experiment):
            if number < self._last:  # it failed in an earlier run, and later trials were chosen knowing that
                raise TrialFailed("no experiment records it, but one records a later trial")
            self._run(experiment, values)
        try:
            return self._read(experiment, values)
        except (KeyError, subprocess.CalledProcessError):
            raise InputError(
                f"{experiment} is an experiment but not a trial of a search; search with another --name"
            ) from None

    def _run(self, experiment: str, values: dict[str, Any]) -> None:
        options = []
        for key, value in values.items():  # set under the model, where nothing overrides them
            options += ["-S", f"++models.{self._params.model}.{key}={json.dumps(value)}"]
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
                if line.startswith("epoch "):
                    tqdm.write(line, sys.stderr, end="")
        if not _references(experiment):
            raise TrialFailed(_reason(errors))

    def _read(self, experiment: str, values: dict[str, Any]) -> float:
        params, reference, yaml = self._params, _references(experiment).split()[0], YAML(typ="safe")
        stages = yaml.load(_git("show", f"{reference}:dvc.lock"))["stages"]
        train, evaluate = stages["train"], stages["evaluate"]
        trained_with = train["params"]["params.yaml"]
        recorded = trained_with | {
            "search": yaml.load(_git("show", f"{reference}:params.yaml"))["search"],
            "launch": train["cmd"],
            "data": _hashes(stages),
        }
        current = params.model_dump()
        current["models"][params.model] |= values
        expected = {key: reduce(getitem, key.split("."), current) for key in trained_with} | {
            "search": {key: tried.model_dump(exclude_unset=True) for key, tried in params.search.items()},
            "launch": f"{params.launch} -m stages.train",
            "data": self._data,
        }
        code = [dep["path"] for dep in train["deps"] + evaluate["deps"] if dep["path"].startswith("stages")]
        code.append(f"stages/architectures/{params.recipe.arch}.py")
        different = [key for key in expected if expected[key] != recorded[key]]
        different += _git("diff", "--name-only", reference, "--", *code).splitlines()
        if different:
            raise InputError(
                f"{experiment} was made with a different {', '.join(different)}, so new trials could not be compared "
                "with it; search with another --name"
            )
        return json.loads(_git("show", f"{reference}:metrics/metrics.json"))["validation"]["macro_f1"]


def _references(experiment: str) -> str:
    """Return the git references of the experiments that match a name or pattern, from any commit, one per line."""
    return _git("for-each-ref", "--format=%(refname)", f"refs/exps/??/*/{experiment}")


def _hashes(stages: dict[str, Any]) -> dict[str, str]:
    """Return the hash of every output of the data stages in a dvc.lock, by path."""
    return {output["path"]: output["md5"] for stage in DATA for output in stages[stage]["outs"]}


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


def _reason(lines: list[str]) -> str:
    """Return the first error message among lines of standard error, or the last line."""
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return errors[0] if errors else " ".join(lines[-1:]) or "no reason was printed"
