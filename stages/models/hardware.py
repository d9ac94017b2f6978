"""The device and the precision of the computation."""

import logging
import os
import platform
import sys
import warnings
from pathlib import Path

import psutil
import torch

from stages.base.errors import InputError

CPU = torch.device("cpu")


def device() -> torch.device:
    """Return the GPU, or the CPU if there is none. Each process that torchrun starts gets a GPU of its own.

    The GPU of an Apple computer (MPS) is not used with torchrun, because its tensors cannot be exchanged.

    Why a GPU that is there cannot be used, such as by a driver that is too old, is printed in one line.

    Raises:
        InputError: torchrun started more processes on this machine than it has GPUs.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if not available:
        if caught and not int(os.environ.get("LOCAL_RANK", 0)):
            reason = str(caught[0].message).partition("Please")[0].partition("(Trigg")[0].strip(" .")
            print(f"no GPU is used, torch is built for CUDA {torch.version.cuda}: {reason}", file=sys.stderr)
        # With a CUDA toolkit but no GPU, torch.compile and torch.utils.benchmark warn that there is no CUDA runtime.
        logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
        return torch.device("mps") if torch.backends.mps.is_available() and "LOCAL_RANK" not in os.environ else CPU
    local_rank, gpus = int(os.environ.get("LOCAL_RANK", 0)), torch.cuda.device_count()
    if local_rank >= gpus:
        raise InputError(f"launch: more processes on this machine than its GPUs, {gpus}; lower --nproc-per-node")
    torch.cuda.set_device(local_rank)
    return torch.device("cuda", local_rank)


def device_name(device: torch.device) -> str:
    """Return the product name of the device, such as "NVIDIA H100 80GB HBM3"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return f"{torch.backends.mps.get_name()} (MPS)"
    cpus = Path("/proc/cpuinfo")  # only on Linux
    lines = cpus.read_text(encoding="utf-8").splitlines() if cpus.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def total_memory(device: torch.device) -> int:
    """Return the size of the device's memory in bytes, used or not."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    if device.type == "mps":
        return torch.mps.recommended_max_memory()  # the part of the computer's memory that its GPU may use
    return psutil.virtual_memory().total


def precision(device: torch.device, setting: str = "auto") -> torch.dtype:
    """Return the floating-point type to compute in.

    Args:
        device: where the network computes.
        setting: `float32`, `bfloat16` or `float16`, or `auto`: bfloat16 if the hardware computes in it (emulation is
            slower than float32), otherwise float16 on a GPU and float32 on a CPU or Apple's MPS.
    """
    if setting != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[setting]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "mps":
        return torch.float32
    capabilities = torch.cpu.get_capabilities()
    native = any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))  # the last one is ARM's
    return torch.bfloat16 if native else torch.float32


def autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """Return a context in which networks compute in `dtype` (mixed precision)."""
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def deterministic(seed: int, threads: int | None = None, device: torch.device = CPU) -> None:
    """Seed torch and restrict it to deterministic algorithms. Call this before anything runs on the GPU.

    On Apple's MPS they are not required, because torch has none for the gradients of max pooling there; one line says
    so.

    Args:
        seed: seed of torch's global random number generators.
        threads: number of CPU threads; None for torch's default.
        device: where it will compute.

    Raises:
        InputError: there are no threads.
    """
    if threads is not None and threads < 1:
        raise InputError(f"--threads: {threads} is too few; give 1 or more")
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # cuBLAS reads it once, when it is initialised
    torch.use_deterministic_algorithms(device.type != "mps")
    if device.type == "mps":
        print("on Apple's MPS deterministic algorithms are off: results do not repeat exactly", file=sys.stderr)
    # Filling every new tensor with NaN takes time, and changes nothing where no value is read before it is written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.manual_seed(seed)
    if threads is not None:
        torch.set_num_threads(threads)
