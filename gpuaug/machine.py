"""What this machine is, and what work costs it."""

import importlib.metadata
import os
import platform
import resource
from pathlib import Path


def best_device():
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def told_device(said):
    """The device of an option --device; the best one where it is not given.

    Raises:
        ValueError: neither a CPU nor a GPU, or one that cannot be used.
    """
    import torch

    from .backends import missing

    if said is None:
        return best_device()
    try:
        device = torch.device(said)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise ValueError(f"--device must be cuda or cpu, got {said!r}")
    if device.type == "cuda":
        if (problem := missing.problem()) is not None:
            raise ValueError(f"--device {said}: {problem}")
        if (device.index or 0) >= torch.cuda.device_count():
            raise ValueError(f"--device {said}: this machine has {torch.cuda.device_count()} GPUs, counted from 0")
    return device


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


def versions(packages):
    """The versions of those of the packages that are installed."""
    found = {}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def usable_cores():
    """The cores this process may run on: in a container fewer than the machine has."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)


def users_cache():
    """The folder of this user's cache, gpuaug's part of it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gpuaug"


def cpu_seconds():
    """Processor time of this process and all below it so far, those that still run included.

    getrusage counts a child only after it was waited for; a DataLoader's workers live on, and are asked by psutil (which
    the extra "cli" brings), in steps of 10 ms.
    """
    import psutil

    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    total = sum(each.ru_utime + each.ru_stime for each in used)
    for child in psutil.Process().children(recursive=True):
        try:
            total += sum(child.cpu_times()[:4])  # user, system, and the same of waited children
        except psutil.NoSuchProcess:  # ended meanwhile
            continue
    return total
