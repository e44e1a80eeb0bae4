"""Runs a Plan on a GPU: one upload of all parameters, then its launches, without a synchronization.

`run` is everything but the calls into torch and CuPy, which are the methods of `Gpu`; the tests give it
a device of NumPy memory whose kernels execute on CPU fibers.
"""

from __future__ import annotations

import numpy as np

from . import nvrtc
from .held import Held, foreign
from .missing import problem
from .nvrtc import Key

GRID_YZ = 65535  # the limit of gridDim.y and .z; a launch of more samples is cut into several
FUSED_PIXELS = 512  # of one block of fused.cu: 256 threads, GPUAUG_SLOTS = 2 pixels each
FILTER_TILE = 32  # pixels, both ways, of one block of filter.cu
FILTER_ROWS = 32  # as in filter_gpu.cuh
REDUCE_SHARED, LOOKUP_SHARED = 8192, 1024  # bytes, as in part.cuh and lookup.cuh
_SAMPLE = np.array([0, 1, 2, 1, 3])  # by the Sample of a row, which kernel has it: linear has linear along x, too
SHARED = 48 * 1024  # bytes that every GPU gives a block without asking


# ---- launches ----------------------------------------------------------------------------------


def run(plan, device) -> None:
    """Queues the plan on `device`, which is a `Gpu` or has its methods."""
    device.prepare([key for launch in plan.launches for key in keys_of(launch, plan.ops)])
    # What is allocated here is freed when everything is queued. That is safe: the allocator hands memory
    # that was freed to later work of the same stream only. What others own, `_queue` holds.
    owners = []
    if plan.scratch_bytes:
        base, owner = device.empty(plan.scratch_bytes)
        owners.append(owner)
        plan.place(base)  # before the upload: rows hold addresses

    if not plan.count:
        return
    base, owner = device.upload(plan.memory)
    owners.append(owner)
    found = 0
    if plan.found is not None:
        found, owner = device.empty(plan.found.nbytes)
        owners.append(owner)

    for launch in plan.launches:
        if len(launch.rows):
            rows, ops, blob = (base + offset for offset in launch.offsets)
            _LAUNCH[launch.kind](device, launch, keys_of(launch, plan.ops), rows, ops, blob, found)


def chunks_of(channels: int) -> list[tuple[int, int, int]]:
    """(first channel, channels per chunk, chunks): 3 as one, otherwise fours and then ones."""
    if channels == 3:
        return [(0, 3, 1)]
    fours = channels // 4
    return ([(0, 4, fours)] if fours else []) + ([(4 * fours, 1, channels % 4)] if channels % 4 else [])


def keys_of(launch, ops: int | None = None) -> list[Key]:
    """The kernels of a launch. ops: the operations that its pipeline can emit, a bit for each code; None: those that it holds."""
    if launch.kind == "fused":
        most = nvrtc.SAMPLES[_SAMPLE[launch.rows["sample"]].max(initial=0)]  # cubic is 61 % of what NVRTC would compile
        if ops is None:
            ops = sum(1 << int(code) for code in np.unique(launch.ops["code"])) if launch.ops is not None else 0
        return [Key("fused", launch.source, launch.target, width, most, ops) for _, width, _ in chunks_of(launch.channels)]
    return [Key(launch.kind, launch.source)]


def cuts(count: int, limit: int) -> list[tuple[int, int]]:
    """(first, count) of pieces of at most `limit` rows."""
    return [(first, min(limit, count - first)) for first in range(0, count, limit)]


def _fused(device, launch, keys, rows: int, ops: int, blob: int, found: int) -> None:
    table = launch.rows
    tiles = -(-int((table["dh"] * table["dw"]).max()) // FUSED_PIXELS)
    for key, (channel0, _, chunks) in zip(keys, chunks_of(launch.channels)):
        kernel = device.kernel(key)
        for first, count in cuts(len(table), GRID_YZ):
            args = (rows + first * table.itemsize, ops, blob, found, launch.channels, channel0)
            device.launch(kernel, (tiles, count, chunks), args, 0)


def filter_shape(channels: int, kh: int, kw: int) -> tuple[int, int, int]:
    """(tile, channels per block, bytes of shared memory) for the longest weights of a launch, as filter_gpu.cuh asks."""
    tile = FILTER_TILE
    while tile:
        lines = tile + kh - 1
        bytes_ = 4 * (min(lines, FILTER_ROWS) * (tile + kw - 1) + lines * tile)
        if bytes_ <= SHARED:
            chunk = max(1, min(channels, 4, SHARED // bytes_))
            return tile, chunk, chunk * bytes_
        tile //= 2
    raise ValueError(f"a filter of {kh} x {kw} weights does not fit into the {SHARED} bytes of shared memory of a GPU's block")


def _filter(device, launch, keys, rows: int, ops: int, blob: int, found: int) -> None:
    table = launch.rows
    separable = table if not table["kind"].any() else table[table["kind"] == 0]  # others need no shared memory
    longest = (int(separable["kh"].max()), int(separable["kw"].max())) if len(separable) else (1, 1)
    tile, chunk, shared = filter_shape(launch.channels, *longest)
    chunks = -(-launch.channels // chunk)
    across, down = -(-int(table["dw"].max()) // tile), -(-int(table["dh"].max()) // tile)
    (key,) = keys
    kernel = device.kernel(key)
    for first, count in cuts(len(table), GRID_YZ // chunks):
        args = (rows + first * table.itemsize, blob, launch.channels, chunk, tile, tile)
        device.launch(kernel, (across, down, count * chunks), args, shared)


def _reduce(device, launch, keys, rows: int, ops: int, blob: int, found: int) -> None:
    parts = launch.rows["down"] * launch.rows["across"] * launch.rows["count"]
    _blocks(device, launch, keys, rows, int(parts.max()), found, REDUCE_SHARED)


def _lookup(device, launch, keys, rows: int, ops: int, blob: int, found: int) -> None:
    _blocks(device, launch, keys, rows, int(launch.rows["tables"].max()), found, LOOKUP_SHARED)


def _blocks(device, launch, keys, rows: int, across: int, found: int, shared: int) -> None:
    """So many blocks for each row; those that it has no use for leave at once."""
    (key,) = keys
    kernel = device.kernel(key)
    for first, count in cuts(len(launch.rows), GRID_YZ):
        device.launch(kernel, (across, count, 1), (rows + first * launch.rows.itemsize, found), shared)


def _pixels(device, launch, keys, rows: int, ops: int, blob: int, found: int) -> None:
    """A thread for each output pixel and channel."""
    table = launch.rows
    (key,) = keys
    kernel = device.kernel(key)
    tiles = -(-int((table["dh"].astype(np.int64) * table["dw"]).max()) // nvrtc.THREADS)
    for first, count in cuts(len(table), GRID_YZ):
        device.launch(kernel, (tiles, count, launch.channels), (rows + first * table.itemsize, blob), 0)


_LAUNCH = {"fused": _fused, "filter": _filter, "reduce": _reduce, "lookup": _lookup, "rank": _pixels, "resample": _pixels}


# ---- the device --------------------------------------------------------------------------------


class _Stream:  # all that a CuPy function wants to know of a stream
    __slots__ = ("ptr",)

    def __init__(self, ptr: int):
        self.ptr = ptr


class Gpu:
    """Memory, upload and launch on torch's current stream of the current GPU, for one plan."""

    __slots__ = ("_device", "_index", "_stream", "_torch")

    def __init__(self, index: int):
        import torch

        self._torch, self._index = torch, index
        self._device = torch.device("cuda", index)
        self._stream = _Stream(torch.cuda.current_stream(index).cuda_stream)

    def empty(self, size: int):
        """(address, owner) of memory on the GPU."""
        memory = self._torch.empty(size, dtype=self._torch.uint8, device=self._device)
        return memory.data_ptr(), memory

    def upload(self, memory: np.ndarray):
        """(address, owner) of a copy on the GPU, made by one asynchronous transfer."""
        # torch's allocator of pinned memory is the ring of upload slots: it records an event behind the
        # copy, and a block that was freed is given out again only after its event
        host = self._torch.empty(len(memory), dtype=self._torch.uint8, pin_memory=True)
        host.numpy()[:] = memory
        memory = host.to(self._device, non_blocking=True)
        return memory.data_ptr(), memory

    def prepare(self, keys) -> None:
        """Compiles and loads what is missing, all at once."""
        nvrtc.load(keys, self._index)

    def kernel(self, key: Key):
        return nvrtc.function(key, self._index)

    def launch(self, kernel, grid, args, shared: int) -> None:
        kernel(grid, (nvrtc.THREADS,), args, shared_mem=shared, stream=self._stream)


def execute(plan, device=None, stream=None) -> None:
    """Queues the plan and returns at once; the first use of a kernel compiles it.

    Args:
        device: `torch.device` or number of the GPU on which the plan's addresses lie; by default the stream's,
            else the current one.
        stream: `torch.cuda.Stream`; by default the current one of that GPU.
    """
    why = problem()
    if why:
        raise RuntimeError(why)
    import torch

    if stream is not None:
        with torch.cuda.stream(stream):  # makes its GPU the current one too
            _queue(plan, stream.device_index)
        return
    current = torch.cuda.current_device()
    index = device.index if isinstance(device, torch.device) else device
    if index is None or index == current:
        _queue(plan, current)
    else:
        with torch.cuda.device(index):
            _queue(plan, index)


def _queue(plan, index: int) -> None:
    """On the current stream of the current GPU, whose number is `index`."""
    import torch

    if torch.cuda.is_current_stream_capturing():
        raise RuntimeError(
            "gpuaug: a CUDA graph is being captured, and transforms draw on the host: every replay would repeat this one batch's "
            "draws. Call the pipeline before the graph, into the tensor that the graph reads: static.copy_(compose(images)), "
            "then graph.replay()"
        )
    run(plan, Gpu(index))
    HELD.purge()
    if foreign(plan.owner):
        event = torch.cuda.Event()
        event.record()
        HELD.keep(event, plan.owner)


HELD = Held()
