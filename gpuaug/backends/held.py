"""Memory that is not torch's, kept until the work that reads it is over.

torch's allocator gives memory that was freed to later work of the same stream only; CuPy's pool, DALI's buffers and the host's
memory know nothing of the stream on which our kernels read them.
"""

from __future__ import annotations

import atexit
import functools
import os
import threading
import weakref
from collections import deque

import numpy as np
import torch

_every: weakref.WeakSet = weakref.WeakSet()


def foreign(owner) -> bool:
    """Whether any of the memory belongs to others than torch and NumPy. owner: of a batch; tuples and lists of several."""
    if owner is None or isinstance(owner, (torch.Tensor, np.ndarray)):
        return False
    return any(map(foreign, owner)) if isinstance(owner, (tuple, list)) else True


class Held:
    """Objects, each with a CUDA event; they are let go of once it has passed."""

    def __init__(self):
        self._items, self._lock = deque(), threading.Lock()
        _every.add(self)

    def __len__(self) -> int:
        return len(self._items)

    def keep(self, event, what) -> None:
        """Keep `what` until `event`, which is recorded behind the last work that reads it."""
        _at_exit()
        with self._lock:
            self._items.append((event, what))

    def purge(self) -> None:
        """Let go of what is done with. Events of several streams come in any order: all are asked."""
        if not self._items:
            return
        with self._lock:
            asked = [(item[0].query(), item) for item in self._items]
            self._items = deque(item for done, item in asked if not done)
        del asked  # here, and not under the lock: destructors are others' code

    def drain(self) -> None:
        """Wait for all, and let go of them."""
        with self._lock:
            items, self._items = self._items, deque()
        for event, _ in items:
            event.synchronize()

    def forget(self) -> None:
        """In a forked child, which can neither ask the parent's events, nor free its memory, nor take a lock that a thread of
        it held."""
        self._parents, self._items, self._lock = self._items, deque(), threading.Lock()


@functools.cache
def _at_exit() -> None:
    # registered now: what is registered last is called first, and those whose memory it is registered theirs when imported
    atexit.register(lambda: [held.drain() for held in list(_every)])


def _forget() -> None:
    for held in list(_every):
        held.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
