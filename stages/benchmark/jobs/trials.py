"""Trials of a search as DVC experiments: trained and judged in a copy of the project, and read as recorded."""

import json
import re
import subprocess
import sys
from functools import reduce
from operator import getitem

from ruamel.yaml import YAML
from tqdm import tqdm

from stages.base.errors import InputError
from stages.base.params import Params

DATA = ("merge", "split", "augment")  # they write what training and evaluation read
DVC = (sys.executable, "-m", "dvc")


class Failure(Exception):
    """A trial that did not come to its end; the message is the line that says why."""


class Trials:
    """The trials of one search, by their numbers, from 0.

    The processes that train them inherit the descriptor `lock`. Raises InputError where the data are not up to date.
    """

    def __init__(self, p: Params, name: str, lock: int) -> None:
        self._p, self._name, self._lock = p, name, lock
        done = subprocess.run([*DVC, "status", "--json", "--with-deps", "augment"], capture_output=True, text=True)
        if done.returncode:
            raise InputError(f"dvc status: {_reason(done.stderr.splitlines())}")
        if json.loads(done.stdout):
            raise InputError("dvc.lock: the data are not those of params.yaml and of the code; run: dvc repro augment")
        with open("dvc.lock", encoding="utf-8") as file:
            stages = YAML(typ="safe").load(file)["stages"]
        if "report" not in stages:  # `dvc exp apply` fails where a stage with cached outputs never ran
            raise InputError("dvc.lock: the pipeline never ran to its end here; run: dvc repro")
        self._data = _written(stages)
        numbers = re.findall(rf"/{name}-(\d+)$", _references(f"{name}-*"), re.MULTILINE)
        self._last = max(map(int, numbers), default=-1)

    def value(self, number: int, values: dict) -> float:
        """The validation macro-F1 that the trial's experiment records; it is run first where there is none.

        `values` are those of the recipe that are tried. Raises Failure where the run fails, and InputError where the
        experiment was made with other params, data or code.
        """
        experiment = f"{self._name}-{number}"
        if not _references(experiment):
            if number < self._last:  # as it did then: those after it were asked for knowing that
                raise Failure("no experiment records it, but one records a later trial")
            self._run(experiment, values)
        try:
            return self._read(experiment, values)
        except (KeyError, subprocess.CalledProcessError):
            raise InputError(f"{experiment} is an experiment, but no trial; search with another --name") from None

    def _run(self, experiment: str, values: dict) -> None:
        options = []
        for key, value in values.items():  # under the model, where nothing overrides it
            options += ["-S", f"++models.{self._p.model}.{key}={json.dumps(value)}"]
        command, said = [*DVC, "exp", "run", "--temp", "-n", experiment, *options, "evaluate"], []
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, text=True, pass_fds=[self._lock], **pipes) as process:
            for line in process.stderr:
                said.append(line.strip())
                if line.startswith("epoch "):
                    tqdm.write(line, sys.stderr, end="")
        if not _references(experiment):
            raise Failure(_reason(said))

    def _read(self, experiment: str, values: dict) -> float:
        p, reference, yaml = self._p, _references(experiment).split()[0], YAML(typ="safe")
        stages = yaml.load(_git("show", f"{reference}:dvc.lock"))["stages"]
        train, evaluate = stages["train"], stages["evaluate"]
        trained_with = train["params"]["params.yaml"]
        recorded = trained_with | {
            "search": yaml.load(_git("show", f"{reference}:params.yaml"))["search"],
            "launch": train["cmd"],
            "data": _written(stages),
        }
        now = p.model_dump()
        now["models"][p.model] |= values
        wanted = {key: reduce(getitem, key.split("."), now) for key in trained_with} | {
            "search": {key: tried.model_dump(exclude_unset=True) for key, tried in p.search.items()},
            "launch": f"{p.launch} -m stages.train",
            "data": self._data,
        }
        code = [dep["path"] for dep in train["deps"] + evaluate["deps"] if dep["path"].startswith("stages")]
        others = [key for key in wanted if wanted[key] != recorded[key]]
        others += _git("diff", "--name-only", reference, "--", *code).splitlines()
        if others:
            raise InputError(
                f"{experiment} was made with a different {', '.join(others)}, so that new trials could "
                "not be compared with it; search with another --name"
            )
        return json.loads(_git("show", f"{reference}:metrics/metrics.json"))["validation"]["macro_f1"]


def _references(experiment: str) -> str:
    """The git references of experiments of that name or pattern, whichever commit they began from, a line each."""
    return _git("for-each-ref", "--format=%(refname)", f"refs/exps/??/*/{experiment}")


def _written(stages: dict) -> dict[str, str]:
    """The hash of every output of the data stages in a dvc.lock, by its path."""
    return {out["path"]: out["md5"] for stage in DATA for out in stages[stage]["outs"]}


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


def _reason(said: list[str]) -> str:
    """The first line that tells an error, of lines to standard error."""
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
    return errors[0] if errors else " ".join(said[-1:]) or "it did not say why"
