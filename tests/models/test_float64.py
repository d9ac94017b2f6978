"""Nothing is computed in float64 before it is copied to the CPU: Apple's MPS has no float64.

A tensor that `Tensor.cpu` returns, and all that is computed with it, counts as being on the CPU; every other one counts
as being on the device.
"""

import sys
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_iter

import stages.evaluate
import stages.train
from helpers import trainable
from stages.training import loop
from stages.training.epoch_metrics import epoch_metrics


class OnCpu(torch.Tensor):
    """A tensor that was copied to the CPU; torch makes results of operations with it of the same kind."""


class NoFloat64OnDevice(TorchFunctionMode):
    """Fails where a result is float64 and not on the CPU."""

    copies = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if function is torch.Tensor.cpu:
            self.copies += 1
            return result.as_subclass(OnCpu)
        for tensor in tree_iter(result):
            if isinstance(tensor, torch.Tensor) and tensor.dtype == torch.float64:
                assert isinstance(tensor, OnCpu), f"{function} computes in float64 on the device"
        return result


class NoFloat64OnMps(TorchFunctionMode):
    """Fails where a result is float64 and a tensor of MPS."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        assert not any(isinstance(item, torch.Tensor) and _impossible(item) for item in tree_iter(result)), function
        return result


def _impossible(tensor: torch.Tensor) -> bool:
    return tensor.device.type == "mps" and tensor.dtype == torch.float64


def test_the_metrics_of_an_epoch() -> None:
    with FakeTensorMode(), torch.device("mps"), NoFloat64OnMps(), pytest.raises(DataDependentOutputException):
        epoch_metrics(torch.empty(8, 3), torch.empty(8, dtype=torch.int64))  # ends where it reads the loss


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mixup": 0.2, "erasing": 0.3, "ema": 0.9, "clip": 1.0, "focal": 1.0, "balance": "weights", "test_views": 10},
        {"cutmix": 0.2, "balance": "sampling", "optimizer": "sgd", "schedule": "plateau", "accumulation": 2},
        {"teachers": ["teacher"], "allow_seen_test": True},
    ],
)
def test_training_and_evaluation(changes: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainable.write_tree(tmp_path, precision="float32", **changes)
    if "teachers" in changes:
        (trainable.trained_tree(tmp_path / "first", epochs=1) / "data/model").rename(tmp_path / "teacher")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["stage"])
    monkeypatch.setattr(loop, "epoch_metrics", lambda *tensors: epoch_metrics(*(item.cpu() for item in tensors)))
    with NoFloat64OnDevice() as watched:
        stages.train.main()
        copies = watched.copies
        stages.evaluate.main()
    assert copies and watched.copies > copies
