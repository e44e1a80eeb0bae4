"""Output memory in the host's RAM that is used again.

A fresh 38 MB batch costs 9,400 page faults, in a virtual machine five times the kernel's own time. A batch that the caller
has dropped gives its memory to the next one of the same size, or of one somewhat smaller.

What lies idle is never more than what was in use at once lately, so that a loop holds at most twice the memory that it works
with: with batches of one size that is all it needs, and with images of many sizes blocks do not pile up, one of each.
"""

from __future__ import annotations

import ctypes
import itertools
import math
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
_HUGE = 1 << 21  # a huge page
_ARRAYS = {TORCH_DTYPES[name]: dtype for name, dtype in NUMPY_DTYPES.items()} | {torch.bfloat16: np.dtype(np.uint16)}


class Block:
    """Pages of their own: malloc would take a large block that is freed as a reason to keep all later ones on its heap.

    Of a large one all but the last 2 MiB are huge pages, where the system has them for who asks (Linux' "madvise"): a copy of 48
    images of 224x224x3 took 213 us from small pages to small ones, 187 to huge ones, and a fresh batch faults 512 times less.
    """

    __slots__ = ("memory", "size", "start")

    def __init__(self, size: int):
        large = size >= 2 * _HUGE and hasattr(mmap, "MADV_HUGEPAGE")
        self.memory = mmap.mmap(-1, size + (_HUGE if large else 0), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.size, self.start = size, 0
        if large:
            self.start = -np.frombuffer(self.memory, np.uint8).ctypes.data % _HUGE
            try:
                self.memory.madvise(mmap.MADV_HUGEPAGE, self.start, size - size % _HUGE)
            except OSError:  # a kernel without them
                self.start = 0

    def __len__(self) -> int:
        return self.size


class _Loan(weakref.ref):
    """A reference to the array that a block was lent to. What is made of the array, keeps it: views, and tensors."""

    __slots__ = ("block",)


class Pool:
    """Blocks of memory by size. A block belongs to the array or tensor made of it until nobody sees that any more."""

    def __init__(self):
        self._idle: dict[int, list[Block]] = {}  # by size; the size that was given back longest ago comes first
        self._bytes = 0
        # A collection may run `_returned` amid anything that is done here, in the same thread: what comes back then waits
        self._lock, self._busy, self._back = threading.RLock(), False, []
        self._live: dict[int, _Loan] = {}  # by identity: an array is not hashable, nor is a reference to it
        self._used = 0  # bytes of the blocks that belong to tensors
        self._peaks = [0, 0]  # the most of them, of the last LATELY blocks taken and of those before
        self._taken = 0

    def array(self, shape, dtype: np.dtype) -> np.ndarray:
        """An uninitialized array in the host's memory, on pages of its own."""
        size = math.prod(shape) * dtype.itemsize
        if size < _SMALL:
            return np.empty(shape, dtype)
        block = self._take(-(-size // 4096) * 4096)
        array = np.ndarray(shape, dtype, block.memory, block.start)
        loan = _Loan(array, self._returned)
        loan.block = block
        self._live[id(loan)] = loan
        return array

    def empty(self, shape, dtype: torch.dtype) -> torch.Tensor:
        """An uninitialized tensor in the host's memory, on pages of its own."""
        kind = _ARRAYS.get(dtype)
        if kind is None:  # a type that the kernels do not write
            return self.empty((math.prod(shape) * dtype.itemsize,), torch.uint8).view(dtype).view(tuple(shape))
        tensor = torch.from_numpy(self.array(shape, kind))
        return tensor if dtype != torch.bfloat16 else tensor.view(dtype)

    def _returned(self, loan: _Loan) -> None:
        self._live.pop(id(loan), None)
        self._give(loan.block)

    def _take(self, size: int) -> Block:
        with self._lock:
            self._busy = True
            try:
                block = self._fitting(size)
                self._used += size if block is None else len(block)
                self._taken += 1
                if self._taken % LATELY == 0:
                    self._peaks = [self._used, self._peaks[0]]
                    self._trim()
                self._peaks[0] = max(self._peaks[0], self._used)
            finally:
                self._busy = False
            self._settle()
        return Block(size) if block is None else block

    def _fitting(self, size: int) -> Block | None:
        """An idle block of this size, else the smallest that is not much larger."""
        if size not in self._idle:
            size = min((key for key in self._idle if size < key <= WASTE * size), default=0)
        return self._pop(size) if size else None

    def _pop(self, size: int) -> Block:
        blocks = self._idle[size]
        block = blocks.pop()
        if not blocks:
            del self._idle[size]
        self._bytes -= size
        return block

    def _give(self, block: Block) -> None:
        with self._lock:
            self._back.append(block)
            self._settle()

    def _settle(self) -> None:
        """Put what came back where it is found."""
        if self._busy:
            return
        self._busy = True
        try:
            while self._back:
                self._keep(self._back.pop())
        finally:
            self._busy = False

    def _keep(self, block: Block) -> None:
        size = len(block)
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
    return POOL.array(shape, NUMPY_DTYPES[dtype])


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
