"""Training by several processes: the same losses as with one, and a restart when one of them is killed."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pandas as pd
import psutil
import pytest
import torch
from torch import nn

from helpers.project import ROOT
from helpers.trainable import outputs, saved_step, start, train, write_tree
from stages.base.errors import InputError
from stages.faces.table import write_index
from stages.training import distributed

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
KILLS = int(os.environ.get("FER_KILLS", "1"))
TWO = [*TORCHRUN, "-m", "stages.train"]
EXACT = {"precision": "float32", "dropout": 0.0, "epochs": 3}  # dropout differs between processes
VIT = {"arch": "timm/vit_tiny_patch16_224", "input_size": 32, "lr": 0.0005}  # rounding errors stay small


def pretend(monkeypatch: pytest.MonkeyPatch, rank: int, world: int) -> None:
    """Make this process appear as one of several."""
    monkeypatch.setattr(distributed, "rank", lambda: rank)
    monkeypatch.setattr(distributed, "world_size", lambda: world)


@pytest.mark.parametrize("world", [2, 3])
def test_each_face_goes_to_one_process_together_with_its_partner(world: int, monkeypatch: pytest.MonkeyPatch) -> None:
    batches, shares = torch.arange(24).view(2, 12), []
    for rank in range(world):
        pretend(monkeypatch, rank, world)
        share = distributed.local_share(batches)
        assert torch.equal(share + share.flip(1), batches[:, :1] + batches[:, -1:] + torch.zeros_like(share))
        shares.append(share)
    assert torch.equal(torch.cat(shares, 1).sort(1).values, batches)


def test_a_batch_size_that_cannot_be_split_raises_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, 0, 3)
    with pytest.raises(InputError, match="train.batch_size: 8 faces .* multiple of 6"):
        distributed.local_share(torch.arange(8))


NORMALISE = """
import sys, torch
from stages.training import batch_norm, distributed
with distributed.process_group(torch.device("cpu")):
    maps, out = torch.load(sys.argv[1])[distributed.rank()].requires_grad_(), f"{sys.argv[1]}.{distributed.rank()}"
    layer = torch.nn.BatchNorm2d(3)
    with batch_norm.SynchronisedBatchNorm():
        normal = layer(maps)
    (normal ** 3).sum().backward()
torch.save({"normal": normal, "maps": maps.grad, "scale": layer.weight.grad} | layer.state_dict(), out)
"""


@pytest.mark.slow
def test_batch_normalisation_uses_the_batches_of_all_processes(tmp_path: Path) -> None:
    maps = torch.randn(8, 3, 2, 2, generator=torch.Generator().manual_seed(0)) * 3 + 1
    torch.save(maps.chunk(2), tmp_path / "maps")
    (tmp_path / "normalise.py").write_text(NORMALISE)
    done = train(tmp_path, [*TORCHRUN, "normalise.py", "maps"])
    assert done.returncode == 0, done.stderr
    first, second = (torch.load(tmp_path / f"maps.{rank}") for rank in range(2))

    layer, all_maps = nn.BatchNorm2d(3), maps.clone().requires_grad_()
    normal = layer(all_maps)
    (normal**3).sum().backward()
    near = partial(torch.testing.assert_close, rtol=1e-4, atol=1e-5)
    near(torch.cat([first["normal"], second["normal"]]), normal)
    near(torch.cat([first["maps"], second["maps"]]), all_maps.grad)
    near(first["scale"] + second["scale"], layer.weight.grad)
    for name in ("running_mean", "running_var"):
        near(first[name], layer.state_dict()[name])


def losses(root: Path) -> dict[str, list[float]]:
    curves = root / "plots/training/plots/metrics"
    return {
        part: pd.read_csv(curves / part / "loss.tsv", sep="\t")["loss"].to_list() for part in ("train", "validation")
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        VIT,
        VIT | {"mixup": 0.5, "cutmix": 0.5, "accumulation": 2, "ema": 0.9, "freeze_epochs": 1},
        VIT | {"optimizer": "sgd", "clip": 1.0, "checkpoint_minutes": 0.0001},
        {"input_size": 48, "lr": 0.00001},  # with the usual rate cnn5 amplifies rounding errors ten thousand times
    ],
)
def test_two_processes_have_the_losses_of_one(tmp_path: Path, changes: dict) -> None:
    for name, command in (("one", None), ("two", TWO)):
        write_tree(tmp_path / name, **EXACT | changes)
        done = train(tmp_path / name, *([command] if command else []))
        assert done.returncode == 0, done.stderr
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    for part, values in one.items():
        assert len(values) == 3 and two[part] == pytest.approx(values, rel=1e-4), part
    assert json.loads(outputs(tmp_path / "two")["data/model/config.json"])["processes"] == 2


@pytest.mark.slow
def test_one_validation_face_is_enough_for_two_processes(tmp_path: Path) -> None:
    write_tree(tmp_path, **EXACT | {"epochs": 1})
    path = tmp_path / "data/split/index.csv"
    index = pd.read_csv(path)
    write_index(index.drop(index.index[index.fold == 0][1:]), path)
    done = train(tmp_path, TWO)
    assert done.returncode == 0 and " 1 validation faces" in done.stdout, done.stderr


RESUME = """
import sys, torch
from helpers.trainable import bright_or_dark
from stages.models import hardware
from stages.models.networks import build
from stages.models.preprocessing import Inputs
from stages.params.train import Train
from stages.training import distributed
from stages.training.checkpoint import Checkpoint
from stages.training.loop import Training

recipe = Train.load().model_copy(update={"epochs": 2, "dropout": 0.3})

def some():
    hardware.deterministic(0, 1)
    network = build("cnn5", 2, 1, 16, 0.3)
    return Training(network, Inputs(16, [0.5], [0.25]), bright_or_dark(31), bright_or_dark(10), 2, recipe, 0)

with distributed.process_group(torch.device("cpu")):
    whole, checkpoint = some(), Checkpoint({"test": 0})
    next(whole.epochs(checkpoint))
    checkpoint.wait()
    resumed = some()
    resumed.restore(checkpoint)
    for training in (whole, resumed):
        assert len(list(training.epochs(checkpoint))) == 1
    losses, again = ([epoch.validation["loss"] for epoch in training.history] for training in (whole, resumed))
    assert losses == again, f"other losses: {losses}, {again}"
"""


@pytest.mark.parametrize("world", [3, pytest.param(4, marks=pytest.mark.slow)])
def test_several_processes_resume_exactly(world: int, tmp_path: Path, checkpoints: Path) -> None:
    write_tree(tmp_path, batch_size=24)
    (tmp_path / "resume.py").write_text(f"import sys; sys.path.append({str(ROOT / 'tests')!r})\n{RESUME}")
    done = train(tmp_path, [*TORCHRUN[:-1], f"--nproc-per-node={world}", "resume.py"])
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_killing_one_process_ends_all_and_the_next_run_continues(tmp_path: Path, checkpoints: Path) -> None:
    settings = EXACT | {"epochs": 40, "patience": 40, "checkpoint_minutes": 0.0001}
    for name in ("uninterrupted", "killed"):
        write_tree(tmp_path / name, **settings)
    done = train(tmp_path / "uninterrupted", TWO)
    assert done.returncode == 0, done.stderr

    root = tmp_path / "killed"
    process = start(root, TWO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.read(1)  # wait for the first line, printed before training starts
    while not list(checkpoints.glob("*.pt")):
        time.sleep(0.1)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[-1]), signal.SIGKILL)
    killed_at = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1 and time.monotonic() - killed_at < 60
    assert "ERROR: train: another training process has ended" in errors
    assert not (root / "data/model").exists()
    assert 0 < saved_step(next(checkpoints.glob("*.pt"))) < 40 * 4

    done = train(root, TWO)
    assert done.returncode == 0, done.stderr
    assert outputs(root) == outputs(tmp_path / "uninterrupted")


@pytest.mark.slow
@pytest.mark.parametrize(("world", "batch_norm"), [(2, "shared"), (3, "local")])
def test_kills_of_all_processes_do_not_change_the_weights(
    world: int, batch_norm: str, tmp_path: Path, checkpoints: Path
) -> None:
    changes = {"epochs": 60, "patience": 60, "batch_size": 24, "dropout": 0.3, "checkpoint_minutes": 0.0001}
    command = [*TORCHRUN[:-1], f"--nproc-per-node={world}", "-m", "stages.train"]
    for name in ("uninterrupted", "killed"):
        write_tree(tmp_path / name, **changes, batch_norm=batch_norm)
    done = train(tmp_path / "uninterrupted", command)
    assert done.returncode == 0, done.stderr

    rng, root, steps = random.Random(world), tmp_path / "killed", []
    for _ in range(KILLS):
        process = start(root, command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdout.read(1)  # the first line is printed just before training starts
        before = {path: path.stat().st_mtime_ns for path in checkpoints.glob("*.pt")}
        while process.poll() is None and before == {path: path.stat().st_mtime_ns for path in checkpoints.glob("*.pt")}:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.1))
        launcher = psutil.Process(process.pid)
        for one in [launcher, *launcher.children(recursive=True)]:  # the launcher ends by itself when another has ended
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
        process.stdout.close()
        steps.append(saved_step(next(checkpoints.glob("*.pt"))))
    # After the last step of an epoch a state can be saved twice: before the epoch's metrics and with them.
    assert steps == sorted(steps) and len(set(steps)) >= KILLS / 2, "a run began anew, or made no progress"
    done = train(root, command)
    assert done.returncode == 0, done.stderr
    assert outputs(root) == outputs(tmp_path / "uninterrupted")
