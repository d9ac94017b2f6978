"""How much energy a device uses."""

import pynvml
import torch


def joules(device: torch.device) -> float | None:
    """What a GPU has used so far, since its driver was loaded, the work given to it waited for.

    None of a device that does not tell: a CPU, a GPU older than NVIDIA's Volta, another vendor's, a part of a GPU.
    """
    if device.type != "cuda":
        return None
    torch.cuda.synchronize(device)
    try:
        pynvml.nvmlInit()
        gpu = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu) / 1000  # it counts in millijoules
    except pynvml.NVMLError:
        return None
