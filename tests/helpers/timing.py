"""Time on a device that computes while the host goes on."""

import time

import torch


def wait(device: torch.device) -> float:
    """Wait for the device and return the time in seconds."""
    if device.type != "cpu":
        torch.accelerator.synchronize()
    return time.perf_counter()
