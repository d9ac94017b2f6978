"""The training loop on a GPU: whether it is exact, and how near it is to the GPU's limit.

    python tests/speed/gpu COMMAND [--out FOLDER] [--project FOLDER] [--arch NAME ...] [--seeds N] [--rehearse]

Commands, and how many minutes each should take on an H100 (estimated; on an H200 `loop` took 14 seconds a network):

    smoke  6  each architecture in float32, bfloat16 and float16: a second training and one that was stopped and resumed
              have the same weights, and no step of an epoch makes the host wait for the GPU
    loop   7  speed of whole epochs relative to the network alone
    usual  6  the same relative to ImageFolder, Pillow and a DataLoader with 16 workers: cnn5 and resnet18
    peak   2  share of the speed of a matrix product and of a copy
    fer    3  seconds to 65.6 % and to 70 % accuracy on FER2013's PrivateTest, three seeds
    all   24  all of them; usual and fer only with --project

Each command prints a line for each measurement and writes all of them to FOLDER/<command>.json (FOLDER is `.` if it is
not given), with card, driver, versions and commit. It exits with 1 if one of them failed. Recipes are those of
params.yaml on a GPU, in peak with larger batches; fer takes all from the project.

--project is a repository of this project with FER2013 whose stage split has run; for fer with augment.balance 0
and clean.whole_parts true. --rehearse trains two small architectures on the CPU with a few tiny batches: it shows that
the commands work, and no speed.

    python tests/speed/gpu all --out DIR --project PROJECT
    python tests/speed/gpu smoke --out DIR --arch resnet18 vit_b16
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[3]))

import torch

from speed.gpu import fer, loops, peak, smoke
from speed.gpu.machine import machine
from speed.gpu.setting import Setting
from stages.base.errors import InputError, guard, one_line
from stages.base.files import write_json
from stages.models import hardware
from stages.models.registry import architecture_names

COMMANDS = {"smoke": smoke.cells, "loop": loops.loop, "usual": loops.usual, "peak": peak.cells, "fer": fer.cells}
NEED_PROJECT = {"usual", "fer"}
REHEARSED = ["convnet", "mini_xception"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=[*COMMANDS, "all"])
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="where the JSON files are written")
    parser.add_argument("--project", type=Path, metavar="FOLDER", help="a project with FER2013, for usual and fer")
    parser.add_argument("--arch", nargs="+", choices=architecture_names(), help="architectures; default: all of them")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="trainings of fer; default: 3")
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, with tiny settings")
    options = parser.parse_args()
    device = torch.device("cpu") if options.rehearse else hardware.device()
    if device.type != "cuda" and not options.rehearse:
        raise InputError("no GPU was found; --rehearse runs on the CPU")
    names = options.arch or (REHEARSED if options.rehearse else architecture_names())
    setting = Setting(device, names, options.project, options.seeds, options.rehearse)
    commands = list(COMMANDS) if options.command == "all" else [options.command]
    if not options.project:
        skipped = [name for name in commands if name in NEED_PROJECT]
        commands = [name for name in commands if name not in NEED_PROJECT]
        if not commands:
            raise InputError(f"{skipped[0]} needs FER2013: name a project with --project")
        for name in skipped:
            print(f"{name}: skipped, it needs --project")
    options.out.mkdir(parents=True, exist_ok=True)
    failed = [name for name in commands if not run(name, setting, options.out / f"{name}.json")]
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def run(command: str, setting: Setting, path: Path) -> bool:
    """Make the measurements of a command, and return whether all succeeded; each is written as soon as it is made."""
    report: dict = {"command": command, "rehearsal": setting.rehearse, **machine(setting.device), "results": {}}
    for name, measure in COMMANDS[command](setting):
        try:
            result = measure()
        except Exception as error:  # the others are measured all the same
            result = {"error": one_line(f"{type(error).__name__}: {error}")[:300]}
        report["results"][name] = result
        write_json(report, path)
        print(f"{command} {name}: " + ", ".join(f"{key} {_short(value)}" for key, value in result.items()), flush=True)
        if setting.device.type == "cuda":
            torch.cuda.empty_cache()
    return not any("error" in result for result in report["results"].values())


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    guard(main)
