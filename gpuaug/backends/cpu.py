"""The kernels for the CPU."""

from __future__ import annotations

import torch

from .. import library


def execute(plan, threads: int | None = None) -> None:
    """Run a plan on this machine's processor, in torch's number of threads (one in DataLoader workers)."""
    if plan.samples:
        host, threads = library.load(), threads or torch.get_num_threads()
        found = host.address(plan.found) if plan.found is not None else 0
        done(host.run(plan.at, plan.count, plan.samples, found, threads))


def done(failed: int) -> None:
    """Raise if the library says that it ran out of memory."""
    if failed:
        raise MemoryError("no memory for the intermediate images: make images, batches or filters smaller, or take fewer threads")
