"""How much energy a device uses."""

import torch
from torch import device


def joules(of: device) -> float | None:
    """What a GPU has used so far, since its driver was loaded, the work given to it waited for.

    None of a device that does not tell: a CPU, a GPU older than NVIDIA's Volta, another vendor's, a part of a GPU.
    """
    if of.type != "cuda":
        return None
    import pynvml  # nothing else asks for NVIDIA's driver

    torch.cuda.synchronize(of)
    try:
        pynvml.nvmlInit()
        gpu = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(of).uuid}")
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu) / 1000  # it counts in millijoules
    except pynvml.NVMLError:
        return None
