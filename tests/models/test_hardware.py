import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch._inductor.config  # torch.use_deterministic_algorithms imports it, and it asks for the GPU

from helpers.project import ENVIRONMENT, ROOT
from stages.base.errors import InputError
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


@pytest.fixture
def apple(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Torch as it is on an Apple computer."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "get_name", lambda: "Apple M4")
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 11)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"bf16": True})
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    before = torch.are_deterministic_algorithms_enabled()
    yield
    torch.use_deterministic_algorithms(before)


def test_apple_s_gpu_is_used_and_said_not_to_repeat(apple: None, capsys: pytest.CaptureFixture) -> None:
    device = hardware.device()
    assert device.type == "mps"
    assert hardware.device_name(device) == "Apple M4 (MPS)" and hardware.total_memory(device) == 11
    hardware.deterministic(0, device=device)
    assert not torch.are_deterministic_algorithms_enabled()
    assert capsys.readouterr().err == "on Apple's MPS deterministic algorithms are off: results do not repeat exactly\n"
    hardware.deterministic(0)
    assert torch.are_deterministic_algorithms_enabled() and capsys.readouterr().err == ""


def test_apple_s_gpu_computes_in_float32_unless_told_otherwise(apple: None) -> None:
    mps = torch.device("mps")
    assert hardware.precision(mps) == torch.float32
    assert hardware.precision(mps, "bfloat16") == torch.bfloat16
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with hardware.autocast(mps, torch.float32):
            assert not torch.is_autocast_enabled("mps")
        with hardware.autocast(mps, torch.bfloat16):
            assert torch.is_autocast_enabled("mps")


def test_several_processes_do_not_use_apple_s_gpu(apple: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert hardware.device().type == "cpu"


def test_an_nvidia_gpu_comes_first(apple: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    assert hardware.device().type == "cuda"


@pytest.mark.parametrize("threads", [0, -1])
def test_less_than_one_thread_is_refused(threads: int) -> None:
    with pytest.raises(InputError, match=f"--threads: {threads} is too few"):
        hardware.deterministic(0, threads)
