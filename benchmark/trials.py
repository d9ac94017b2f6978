"""Trials of a search as DVC experiments: each is trained and judged in a copy of the project, and read as recorded."""

import json
import subprocess
import sys

from ruamel.yaml import YAML

from stages.base.errors import InputError
from stages.base.params import Params

DATA = ("merge", "split", "augment")  # what training and evaluation read was written by these


class Failure(Exception):
    """A trial that did not come to its end; the message is the line that says why."""


class Trials:
    """The trials of one search, by their numbers; their values are validation macro-F1s.

    Its processes inherit the descriptor `lock`. Raises InputError where the data are not up to date.
    """

    def __init__(self, p: Params, name: str, lock: int) -> None:
        self._p, self._name, self._lock = p, name, lock
        done = _run("dvc", "status", "--json", "--with-deps", "augment")
        if done.returncode:
            raise InputError(f"dvc status: {_reason(done.stderr)}")
        if json.loads(done.stdout):
            raise InputError("dvc.lock: the data are not those of params.yaml and the code; run: dvc repro augment")
        with open("dvc.lock", encoding="utf-8") as file:
            self._data = _outputs(YAML(typ="safe").load(file))

    def value(self, number: int, values: dict) -> float:
        """The macro-F1 that the experiment records; it is run first where there is none.

        `values` of the recipe are tried. Raises Failure where the run fails, and InputError where the experiment was
        made with other params, data or code.
        """
        experiment = f"{self._name}-{number}"
        if not _reference(experiment):
            sets = [f"++models.{self._p.model}.{key}={json.dumps(value)}" for key, value in values.items()]
            options = [part for one in sets for part in ("-S", one)]  # what a model sets would hide what `train` does
            command = "dvc", "exp", "run", "--temp", "-n", experiment, *options, "evaluate"
            done = _run(*command, pass_fds=[self._lock])
            if not _reference(experiment):
                raise Failure(_reason(done.stderr))
        return self._read(experiment, values)

    def _read(self, experiment: str, values: dict) -> float:
        reference, yaml = _reference(experiment), YAML(typ="safe")
        lock = yaml.load(_show(reference, "dvc.lock"))
        train, evaluate = lock["stages"]["train"], lock["stages"]["evaluate"]
        recorded = train["params"]["params.yaml"] | {
            "search": yaml.load(_show(reference, "params.yaml")).get("search"), "launch": train["cmd"],
            "data": _outputs(lock),
        }  # fmt: skip
        p = self._p
        wanted = {
            "search": {key: tried.model_dump(exclude_unset=True) for key, tried in p.search.items()},
            "model": p.model, "seed": p.seed, "launch": f"{p.launch} -m stages.train", "data.labels": p.data.labels,
            "split.fold": p.split.fold, "train": p.train.model_dump(), "data": self._data,
            f"models.{p.model}": p.models[p.model] | values,
        }  # fmt: skip
        code = [dep["path"] for dep in train["deps"] + evaluate["deps"] if dep["path"].startswith("stages")]
        changed = [key for key in wanted if recorded.get(key) != wanted[key]]
        changed += _run("git", "diff", "--name-only", reference, "--", *code).stdout.split("\n")[:-1]
        if changed:
            raise InputError(f"{experiment} was made with another {changed[0]}: its figure cannot be compared; "
                             "begin a search with another --name")
        return json.loads(_show(reference, "metrics/metrics.json"))["validation"]["macro_f1"]


def _reference(experiment: str) -> str:
    """The git reference of an experiment on any commit, or an empty text."""
    return _run("git", "for-each-ref", "--format=%(refname)", f"refs/exps/??/*/{experiment}").stdout.split("\n")[0]


def _show(reference: str, path: str) -> str:
    return _run("git", "show", f"{reference}:{path}").stdout


def _outputs(lock: dict) -> dict[str, str]:
    """The hashes of what the data stages wrote, by path."""
    return {out["path"]: out["md5"] for stage in DATA for out in lock["stages"][stage]["outs"]}


def _run(program: str, *arguments: str, pass_fds: list[int] = []) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "dvc"] if program == "dvc" else [program]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, pass_fds=pass_fds)


def _reason(said: str) -> str:
    """The line that names the first error; the last line where none does."""
    lines = [line for line in said.splitlines() if line.strip()] or ["it said nothing"]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return errors[0] if errors else lines[-1]
