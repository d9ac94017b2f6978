"""Nothing is computed in float64 before it is copied to the CPU: Apple's MPS has no float64.

A tensor that `Tensor.cpu` returns, and all that is computed with it, counts as being on the CPU; every other one counts
as being on the device.
"""

import sys
from pathlib import Path

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_iter

import stages.evaluate
import stages.train
from helpers import trainable


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


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mixup": 0.2, "erasing": 0.3, "ema": 0.9, "clip": 1.0, "focal": 1.0, "balance": "weights", "test_flips": True},
        {"cutmix": 0.2, "balance": "sampling", "optimizer": "sgd", "schedule": "plateau", "accumulation": 2},
    ],
)
def test_training_and_evaluation(changes: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainable.write_tree(tmp_path, precision="float32", **changes)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["stage"])
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    with NoFloat64OnDevice() as watched:
        stages.train.main()
        copies = watched.copies
        stages.evaluate.main()
    assert copies and watched.copies > copies
