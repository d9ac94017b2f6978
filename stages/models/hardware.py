"""The device and the precision to compute in, chosen for the machine at hand."""

import os

import torch


def device() -> torch.device:
    """The GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


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


def deterministic(seed: int) -> None:
    """Seed torch and hold it to algorithms that give the same bytes every time. Call it before anything on the GPU."""
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # cuBLAS reads it once, at its start
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    torch.manual_seed(seed)
