"""What standing still costs: a no-op `dvc repro` against a bare pipeline of as many stages, and each stage's start.

Run it in a repository whose pipeline is up to date: `python tests/speed/start.py`.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ruamel.yaml import YAML

ROUNDS = 15
NEED_TORCH = {"train", "evaluate"}


def seconds(command: list[str], folder: Path) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def bare_pipeline(folder: Path, count: int) -> None:
    """A repository with `count` stages in a row that copy a file, up to date."""
    stages = {f"s{n}": {"cmd": f"cp f{n} f{n + 1}", "deps": [f"f{n}"], "outs": [f"f{n + 1}"]} for n in range(count)}
    (folder / "f0").write_text("x")
    YAML().dump({"stages": stages}, folder / "dvc.yaml")
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"], ["dvc", "repro", "-q"]):
        seconds(command, folder)


here = Path.cwd()
stages = list(YAML(typ="safe").load(here / "dvc.lock")["stages"])
with tempfile.TemporaryDirectory() as folder:
    bare_pipeline(Path(folder), len(stages))
    pairs = [(seconds(["dvc", "repro"], here), seconds(["dvc", "repro"], Path(folder))) for _ in range(ROUNDS)]
ratio = statistics.median(ours / bare for ours, bare in pairs)
print(f"no-op dvc repro, {len(stages)} stages: {ratio:.2f} of a bare pipeline's time")

for stage in dict.fromkeys(name.split("@")[0] for name in stages):
    if stage not in NEED_TORCH:
        command = [sys.executable, "-c", f"import stages.{stage}"]
        print(f"{stage} starts in {statistics.median(seconds(command, here) for _ in range(ROUNDS)):.2f} s")
