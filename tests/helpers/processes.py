"""Processes of the benchmark and of a search, while they run."""

import time

import psutil


def at_work(*parents: int) -> list[psutil.Process]:
    """Wait until a training runs below one of these processes; all that run below them."""
    for _ in range(3000):
        below = [child for parent in parents for child in psutil.Process(parent).children(recursive=True)]
        if any("stages.train" in command(child) for child in below):
            return below
        time.sleep(0.1)
    raise AssertionError("no training")


def command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has ended
        return []
