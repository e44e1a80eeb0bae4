"""Output memory in the host's RAM that is used again.

A fresh 38 MB batch costs 9,400 page faults, in a virtual machine five times the kernel's own time. A batch that the caller
has dropped gives its memory to the next one of the same size, or of one somewhat smaller.

What lies idle is never more than what was in use at once lately, so that a loop holds at most twice the memory that it works
with: with batches of one size that is all it needs, and with images of many sizes blocks do not pile up, one of each.
"""

from __future__ import annotations

import ctypes
import itertools
import mmap
import os
import threading
import weakref

import numpy as np
import torch

from .batch import NUMPY_DTYPES, TORCH_DTYPES

KEEP = 2  # idle blocks of one size: a loop holds one batch and prepares the next
IDLE_BYTES = 1 << 30  # and no more than this in total, whatever was in use
LATELY = 64  # blocks taken: a loop of several outputs a batch comes round some times in so many
WASTE = 2  # a block may be so many times the size that is asked for
_SMALL = 1 << 16  # below, malloc serves from its own lists


class Pool:
    """Blocks of memory by size. A block belongs to the tensor made of it until that tensor's storage is freed."""

    def __init__(self):
        self._idle: dict[int, list[np.ndarray]] = {}  # by size; the size that was given back longest ago comes first
        self._bytes = 0
        self._lock = threading.RLock()  # a collection may run `_give` inside `_take`
        self._live: dict[int, weakref.ref] = {}  # an array is not hashable, nor is a reference to it
        self._used = 0  # bytes of the blocks that belong to tensors
        self._peaks = [0, 0]  # the most of them, of the last LATELY blocks taken and of those before
        self._taken = 0

    def empty(self, shape, dtype: torch.dtype) -> torch.Tensor:
        """An uninitialized tensor in the host's memory, on pages of its own."""
        count = 1
        for n in shape:
            count *= n
        size = count * dtype.itemsize
        if size < _SMALL:
            return torch.empty(shape, dtype=dtype, device="cpu")  # not torch's default device
        size = -(-size // 4096) * 4096
        block = self._take(size)
        view = block[:]  # dies with the tensor's storage

        name = id(view)

        def give(_, name=name, block=block):  # not the view itself, which would then never die
            self._live.pop(name, None)
            self._give(block)

        self._live[name] = weakref.ref(view, give)
        return torch.from_numpy(view)[: count * dtype.itemsize].view(dtype).view(tuple(shape))

    def _take(self, size: int) -> np.ndarray:
        with self._lock:
            block = self._fitting(size)
            self._used += size if block is None else len(block)
            self._taken += 1
            if self._taken % LATELY == 0:
                self._peaks = [self._used, self._peaks[0]]
                self._trim()
            self._peaks[0] = max(self._peaks[0], self._used)
        if block is not None:
            return block
        # pages of its own: malloc would take a large block that is freed as a reason to keep all later ones on its heap
        return np.frombuffer(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), np.uint8)

    def _fitting(self, size: int) -> np.ndarray | None:
        """An idle block of this size, else the smallest that is not much larger."""
        if size not in self._idle:
            size = min((key for key in self._idle if size < key <= WASTE * size), default=0)
        return self._pop(size) if size else None

    def _pop(self, size: int) -> np.ndarray:
        blocks = self._idle[size]
        block = blocks.pop()
        if not blocks:
            del self._idle[size]
        self._bytes -= size
        return block

    def _give(self, block: np.ndarray) -> None:
        size = len(block)
        with self._lock:
            self._used -= size
            blocks = self._idle.pop(size, [])
            self._idle[size] = blocks  # to the end: these are the latest
            if len(blocks) == KEEP:
                return
            blocks.append(block)
            self._bytes += size
            self._trim()

    def _trim(self) -> None:
        """Give up what lies idle longest, as far as it is more than was in use."""
        while self._bytes > min(IDLE_BYTES, max(self._peaks)):
            self._pop(next(iter(self._idle)))

    def clear(self) -> None:
        """Give idle memory back to the system."""
        with self._lock:
            self._idle.clear()
            self._bytes = 0


POOL = Pool()
if hasattr(os, "register_at_fork"):
    # a forked child would write into pages that it shares with its parent: it starts with none
    os.register_at_fork(after_in_child=lambda: POOL.__init__())


def empty(shape, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """An uninitialized tensor: torch's caching allocator on a GPU, the pool in the host's memory."""
    if device.type == "cpu":
        return POOL.empty(shape, dtype)
    return torch.empty(shape, dtype=dtype, device=device)


def array(shape, dtype: str) -> np.ndarray:
    """An uninitialized array in the host's memory, of a type of `NUMPY_DTYPES`."""
    count = 1
    for n in shape:
        count *= n
    if count * NUMPY_DTYPES[dtype].itemsize < _SMALL:
        return np.empty(shape, NUMPY_DTYPES[dtype])  # 9 us less than torch's
    # by way of the tensor, which keeps the block: the base of a view of an array is that array's base
    return POOL.empty(shape, TORCH_DTYPES[dtype]).numpy()


TRIM_EVERY = 2000  # batches
_batches = itertools.count(1)


def count_batch() -> None:
    """Called for every batch that a loader delivers: now and then what malloc holds free goes back to the system.

    Files and decoded images of many sizes, allocated and freed in several threads, fragment glibc's heaps: in use stays
    the same (154 MiB over 10,000 batches), resident grew by 36 MiB. A trim and the page faults after it take about 60 ms.
    """
    if next(_batches) % TRIM_EVERY == 0:
        trim()


def trim() -> None:
    """Give free memory of malloc's heaps back to the system (glibc; elsewhere nothing happens)."""
    try:
        give_back = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return
    give_back(ctypes.c_size_t(0))
