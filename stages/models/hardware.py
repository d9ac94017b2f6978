"""The device and the precision to compute in, chosen for the machine at hand."""

import os

import psutil
import torch

from stages.base.errors import InputError


def device() -> torch.device:
    """The GPU where there is one, else the CPU; of the processes that torchrun starts, each has a GPU of its own.

    Raises InputError where there are fewer GPUs than processes.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    own, have = int(os.environ.get("LOCAL_RANK", 0)), torch.cuda.device_count()
    if own >= have:
        raise InputError(f"launch: more processes on this machine than its GPUs, {have}; lower --nproc-per-node")
    torch.cuda.set_device(own)
    return torch.device("cuda", own)


def memory(device: torch.device) -> int:
    """Bytes of memory that the device has in all."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    return psutil.virtual_memory().total


def precision(device: torch.device, wanted: str = "auto") -> torch.dtype:
    """The type to compute in: `wanted` (float32, bfloat16 or float16), or what suits the hardware.

    That is bfloat16 where the hardware has it, since an emulated one is slower than float32; else float16 on a GPU.
    """
    if wanted != "auto":
        return getattr(torch, wanted)
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    can = torch.cpu.get_capabilities()
    native = can.get("avx512_bf16") or can.get("amx_bf16") or can.get("bf16")  # the last is ARM's
    return torch.bfloat16 if native else torch.float32


def autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """A context in which a network computes in `dtype`."""
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def deterministic(seed: int, threads: int | None = None) -> None:
    """Seed torch and hold it to algorithms that give the same bytes every time, with `threads` on the CPU if given.

    Call it before anything on the GPU.
    """
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # cuBLAS reads it once, at its start
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    torch.manual_seed(seed)
    if threads:
        torch.set_num_threads(threads)
