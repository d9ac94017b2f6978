import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

from helpers.project import ENVIRONMENT, ROOT
from stages.models import hardware

IMPORTS = """
from stages.models import hardware
assert hardware.device().type == "cpu" and hardware.device_name(hardware.device())
from torch.utils.benchmark import Timer  # looks for a CUDA toolkit
"""


def test_a_cuda_toolkit_without_a_gpu_gives_no_warning(tmp_path: Path) -> None:
    environment = ENVIRONMENT | {"CUDA_HOME": str(tmp_path), "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""


OLD_DRIVER = (  # torch's warning
    "CUDA initialization: The NVIDIA driver on your system is too old (found version 11040). Please update your GPU "
    "driver by downloading and installing a new version. (Triggered internally at CUDAFunctions.cpp:109.)"
)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_driver_that_is_too_old_is_one_line(
    rank: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def is_available() -> bool:
        warnings.warn(OLD_DRIVER, stacklevel=1)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", is_available)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setenv("LOCAL_RANK", str(rank))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hardware.device().type == "cpu"
    cause = "CUDA initialization: The NVIDIA driver on your system is too old (found version 11040)"
    line = f"no GPU is used, torch is built for CUDA 13.0: {cause}\n"
    assert capsys.readouterr().err == ("" if rank else line)
