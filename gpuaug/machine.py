"""What this machine is, and what work costs it."""

import os
import platform
import resource
from pathlib import Path


def best_device():
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name(device):
    """The name of the card or of the processor."""
    import torch

    device = torch.device(device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name()


def cpu_name():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {len(usable_cores())} cores"


def usable_cores():
    """The cores this process may run on: in a container fewer than the machine has."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)


def cpu_seconds():
    """Processor time of this process and all below it so far, those that still run included.

    getrusage counts a child only after it was waited for, a DataLoader's workers live on: where there is /proc theirs
    is read from there (in steps of 10 ms), elsewhere only this process and the ended ones are counted.
    """
    total = sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )
    if not Path("/proc/self/stat").exists():
        return total
    parents, times = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # ended meanwhile
                continue
            parents[int(entry.name)] = int(fields[1])
            times[int(entry.name)] = sum(map(int, fields[11:15]))  # user, system, and the same of waited children
    below = {os.getpid()}
    for _ in range(8):  # workers of workers; more generations than that nobody has
        below |= {process for process, parent in parents.items() if parent in below}
    return total + sum(times[process] for process in below - {os.getpid()}) / os.sysconf("SC_CLK_TCK")
