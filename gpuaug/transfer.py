"""Samples on their way to a device."""

from __future__ import annotations

import numpy as np
import torch

from .backends import cpu
from .batch import DTYPES, Batch
from .track import Track

ALIGN = 16  # bytes: of every sample in the upload, the widest load of a GPU


def moved(batch: Batch, device) -> Batch:
    """The same samples on ``device``: one packed, pinned, asynchronous upload for all of them."""
    device = batch.device if device is None else torch.device(device)
    if device.type == batch.device.type and (device.type == "cpu" or device.index in (None, batch.device.index)):
        return batch  # "cpu:0", as accelerate calls it, is the CPU
    if batch.device.type != "cpu" or device.type != "cuda":
        raise ValueError(f"a batch on {batch.device} cannot be moved to {device}; move the data first")
    if batch.parts is not None:
        parts, origin, reach = batch.parts
        return Batch.within(moved(parts, device), origin, batch.size, reach)
    shape = np.concatenate([batch.size.astype(np.int64), np.full((len(batch), 1), batch.channels)], 1)
    start = np.zeros(len(batch) + 1, np.int64)
    np.cumsum((shape.prod(1) * DTYPES[batch.dtype][1] + ALIGN - 1) & -ALIGN, out=start[1:])
    pinned = _pinned(int(start[-1]))
    stride = np.stack([shape[:, 1] * batch.channels, shape[:, 2], np.ones(len(batch), np.int64)], 1)
    cpu.execute(Track(batch).finish(pinned.data_ptr() + start[:-1], stride, batch.dtype))
    memory, device = _sent(pinned, device)
    at, owner = memory.data_ptr() + start[:-1], (memory, pinned)
    return Batch(at, batch.size, stride, batch.channels, batch.dtype, device, owner, batch.given)


def _pinned(size: int) -> torch.Tensor:
    return torch.empty(size, dtype=torch.uint8, device="cpu", pin_memory=True)


def _sent(pinned: torch.Tensor, device: torch.device) -> tuple[torch.Tensor, torch.device]:
    """A copy on a GPU, queued on its current stream, and which one that is."""
    memory = pinned.to(device, non_blocking=True)
    return memory, memory.device
