"""A device for `gpuaug.backends.cuda.run` whose kernels are the real ones of sm_90, executed by the simulator."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from unittest import mock

import numpy as np
import torch

from .counts import Counts
from .cubin import Cubin
from .execute import Machine
from .memory import Memory

ARCH = "sm_90"
_GUARD = 0xFF  # NaN for floats: nothing is right by being zero


@functools.cache
def cubin(key, options: tuple[str, ...] = ()) -> Cubin:
    """The code of a kernel as a GPU would get it, from the cache on disk where it is there."""
    from gpuaug.backends import nvrtc

    code = nvrtc.compile(key, ARCH, options).code if options else nvrtc.binary(key, ARCH)
    return Cubin(code, key.name)


@dataclass
class Launch:
    """One launch: its kernel, the grid, the blocks of it that ran, and what they did."""

    key: object
    cubin: Cubin
    grid: tuple[int, int, int]
    threads: int
    shared: int  # bytes, static and dynamic
    blocks: list
    counts: Counts


class Device:
    """What `gpuaug.backends.cuda.run` needs of a GPU. Kernels may touch what `add` was told of, and what they were given.

    pick: (key, grid) -> the blocks to run, as (x, y, z), for counting; None: all of them. options: of the compiler, besides
    gpuaug's own. wobble: a seed; approximate reciprocals and roots are then off by a unit in the last place at random.
    """

    def __init__(self, pick=None, options: tuple[str, ...] = (), wobble: int | None = None):
        self.pick, self.options, self.wobble = pick, options, wobble
        self.memory = Memory()
        self.launches: list[Launch] = []
        self._owners: list = []

    def add(self, array) -> None:
        """Memory of an input or an output: an array or a tensor."""
        self.memory.add(array)

    # ---- what `run` calls

    def prepare(self, keys) -> None:
        self.prepared = set(keys)

    def empty(self, size: int):
        memory = np.full(size + 256, _GUARD, np.uint8)
        start = -memory.ctypes.data % 256  # as torch's allocator aligns
        part = memory[start : start + size]
        self._owners.append(memory)
        self.memory.add(part)
        return part.ctypes.data if size else memory.ctypes.data + start, part

    def upload(self, memory: np.ndarray):
        address, copy = self.empty(len(memory))
        copy[:] = memory
        return address, copy

    def kernel(self, key):
        assert key in self.prepared, f"{key.name} was not announced"
        return key, cubin(key, self.options)

    def launch(self, kernel, grid, args, shared: int, threads: int | None = None) -> None:
        from gpuaug.backends import nvrtc

        key, code = kernel
        threads = threads or nvrtc.THREADS
        blocks = self.pick(key, grid) if self.pick else every(grid)
        wobble = None if self.wobble is None else self.wobble + len(self.launches)
        machine = Machine(code, blocks, threads, grid, args, self.memory, shared, wobble).run()
        self.launches.append(Launch(key, code, grid, threads, code.shared + shared, blocks, machine.counts))

    # ---- for a whole call of the library

    @contextlib.contextmanager
    def instead(self):
        """`Compose` and its kin run on this device: batches of host memory in, and out."""
        from gpuaug import deliver
        from gpuaug.backends import cuda

        def empty(shape, dtype, device):
            size = int(np.prod(shape)) * dtype.itemsize
            _, memory = self.empty(size)
            return torch.from_numpy(memory).view(dtype).view(tuple(shape))

        with (
            mock.patch.object(deliver, "execute", lambda plan, *_, **__: cuda.run(plan, self)),
            mock.patch.object(deliver, "empty", empty),
        ):
            yield self


def every(grid) -> list[tuple[int, int, int]]:
    return [(x, y, z) for z in range(grid[2]) for y in range(grid[1]) for x in range(grid[0])]
