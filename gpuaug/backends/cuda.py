"""Runs a Plan on a GPU: one upload of all parameters, then its launches, without a synchronization.

`run` is everything but the calls into torch and CuPy, which are the methods of `Gpu`; the tests give it
a device of NumPy memory whose kernels execute on CPU fibers.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from . import nvrtc
from .held import Held, foreign
from .missing import problem
from .nvrtc import Key

GRID_YZ = 65535  # the limit of gridDim.y and .z; a launch of more samples is cut into several
FUSED_PIXELS = 1024  # of one block of fused.cu: 256 threads, 4 pixels each
MARCHED, MEDIANS = (3, 5, 7), (3, 5)  # what march.cuh and median.cuh are compiled for
_MARCHED, _RANKED = (np.isin(np.arange(10), lengths) for lengths in (MARCHED, MEDIANS))
MARCH_THREADS = 192  # of one block, at most
# Lines of a block's strip: each filters K - 1 lines more than it writes, so that few strips are less work; of a small batch there
# are more, down to the fewest lines, for all of a GPU to have some: four blocks on each of 132 multiprocessors.
MARCH_LINES, MARCH_FEWEST, MARCH_BLOCKS = 112, 28, 4 * 132
FILTER_TILE = 32  # pixels, both ways, of one block of filter.cu
FILTER_ROWS = 32  # as in gpu/filter.cuh
REDUCE_SHARED, LOOKUP_SHARED = 8192, 1024  # bytes, as in part.cuh and lookup.cuh
WARP = 32  # threads of a block of lookup.cu
# REDUCE_HISTOGRAM of reductions.gen.cuh; of tiles of so few pixels a block takes fewer threads: each has most to do before it
# counts
HISTOGRAM, TILE_PIXELS, TILE_THREADS = 1, 2048, 32
VIEW, MEDIAN = 0, 0  # MAP_VIEW of maps.gen.cuh, RANK_MEDIAN of rows.cuh
_SAMPLE = np.array([0, 1, 2, 1, 3])  # by the Sample of a row, which kernel has it: linear has linear along x, too
SHARED = 48 * 1024  # bytes that every GPU gives a block without asking


# ---- launches ----------------------------------------------------------------------------------


def run(plan, device) -> None:
    """Queues the plan on `device`, which is a `Gpu` or has its methods."""
    # What is allocated here is freed when everything is queued. That is safe: the allocator hands memory
    # that was freed to later work of the same stream only. What others own, `_queue` holds.
    owners = []
    if plan.scratch_bytes:
        base, owner = device.empty(plan.scratch_bytes)
        owners.append(owner)
        plan.place(base)  # before the upload: rows hold addresses
    # after it: it looks for rows by their sample
    parts = [(launch, parts_of(launch, plan.ops, arrange=True)) for launch in plan.launches if len(launch.rows)]
    device.prepare([key for _, of in parts for part in of for key in part.keys])

    if not plan.count:
        return
    base, owner = device.upload(plan.memory)
    owners.append(owner)
    found = 0
    if plan.found is not None:
        found, owner = device.empty(plan.found.nbytes)
        owners.append(owner)

    for launch, of in parts:
        rows, ops, blob = (base + offset for offset in launch.offsets)
        for part in of:
            _LAUNCH[launch.kind](device, launch, part, rows + part.first * launch.rows.itemsize, ops, blob, found)


def chunks_of(channels: int) -> list[tuple[int, int, int]]:
    """(first channel, channels per chunk, chunks): 3 as one, otherwise fours and then ones."""
    if channels == 3:
        return [(0, 3, 1)]
    fours = channels // 4
    return ([(0, 4, fours)] if fours else []) + ([(4 * fours, 1, channels % 4)] if channels % 4 else [])


class Part(NamedTuple):
    """Rows of a launch that one kernel takes; of a fused one the kernels of the chunks of channels."""

    keys: tuple[Key, ...]
    code: int  # as `_CODES` has it
    first: int  # of its rows
    rows: np.ndarray


def parts_of(launch, ops: int | None = None, arrange: bool = False) -> list[Part]:
    """The parts of a launch. ops: the operations that its pipeline can emit, a bit for each code; None: those that it holds.
    arrange: sort its rows, so that those of a part follow each other, which they have to for it to be launched.
    """
    rows, codes = launch.rows, _CODES[launch.kind](launch) if launch.kind in _CODES else None
    if codes is None or (codes == codes[0]).all():
        found = [(0 if codes is None else int(codes[0]), 0, rows)]
    else:
        order = np.argsort(codes, kind="stable")
        codes, sorted_ = codes[order], rows.take(order)
        if arrange:
            rows[:] = sorted_
            sorted_ = rows
        starts = [0, *(np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist(), len(codes)]
        found = [(int(codes[a]), a, sorted_[a:b]) for a, b in pairwise(starts)]
    if launch.kind == "fused" and ops is None:
        ops = sum(1 << int(code) for code in np.unique(launch.ops["code"])) if launch.ops is not None else 0
    return [Part(tuple(_keys(launch, code, of, ops)), code, first, of) for code, first, of in found]


def _keys(launch, code: int, rows, ops: int | None) -> list[Key]:
    if launch.kind == "fused":  # the most that a gather interpolates with: cubic is most of what NVRTC would compile
        sample = nvrtc.SAMPLES[1 + _SAMPLE[rows["sample"]].max() if code else 0]
        return [Key("fused", launch.source, launch.target, width, sample, ops) for _, width, _ in chunks_of(launch.channels)]
    if code:
        return [Key(launch.kind, launch.source, channels=code % 10, taps=code // 10)]
    return [Key(launch.kind, launch.source)]


def keys_of(launch, ops: int | None = None) -> list[Key]:
    """The kernels of a launch."""
    return [key for part in parts_of(launch, ops) for key in part.keys]


def cuts(count: int, limit: int) -> list[tuple[int, int]]:
    """(first, count) of pieces of at most `limit` rows."""
    return [(first, min(limit, count - first)) for first in range(0, count, limit)]


def _fused(device, launch, part: Part, rows: int, ops: int, blob: int, found: int) -> None:
    table = part.rows
    tiles = -(-int((table["dh"] * table["dw"]).max()) // FUSED_PIXELS)
    for key, (channel0, _, chunks) in zip(part.keys, chunks_of(launch.channels)):
        kernel = device.kernel(key)
        for first, count in cuts(len(table), GRID_YZ):
            args = (rows + first * table.itemsize, ops, blob, found, launch.channels, channel0)
            device.launch(kernel, (tiles, count, chunks), args, 0)


def filter_shape(channels: int, kh: int, kw: int) -> tuple[int, int, int]:
    """(tile, channels per block, bytes of shared memory) for the longest weights of a launch, as gpu/filter.cuh asks."""
    tile = FILTER_TILE
    while tile:
        lines = tile + kh - 1
        bytes_ = 4 * (min(lines, FILTER_ROWS) * (tile + kw - 1) + lines * tile)
        if bytes_ <= SHARED:
            chunk = max(1, min(channels, 4, SHARED // bytes_))
            return tile, chunk, chunk * bytes_
        tile //= 2
    raise ValueError(f"a filter of {kh} x {kw} weights does not fit into the {SHARED} bytes of shared memory of a GPU's block")


def gathers(launch) -> np.ndarray:
    """[rows]: 0 for views, 1 for gathers."""
    return (launch.rows["map"] != VIEW).view(np.int8)


def marches(launch) -> np.ndarray | None:
    """[rows]: 10 times the number of weights plus the channels of a pixel, for rows that march.cuh filters; 0 for the others."""
    rows = launch.rows
    if launch.source == "uint8":
        return _coded(launch, rows["sx"], (rows["even"] != 0) & _MARCHED[np.minimum(rows["kh"], 9)])


def medians(launch) -> np.ndarray | None:
    """[rows]: the same of those that median.cuh ranks. It takes mirrored lines."""
    rows = launch.rows
    if launch.source == "uint8":
        fits = (rows["kind"] == MEDIAN) & _RANKED[np.minimum(rows["kh"], 9)] & (rows["sw"] >= 8) & (rows["border"] == 1)
        return _coded(launch, np.abs(rows["sx"]), fits)


def _coded(launch, step: np.ndarray, fits: np.ndarray) -> np.ndarray:
    """step: from pixel to pixel."""
    rows, channels = launch.rows, launch.channels
    if channels in (3, 4):
        width = np.where((step == channels) & (rows["sc"] == 1), channels, 1)
        fits = fits & ((step == 1) | (width > 1))
    else:
        width, fits = 1, fits & (step == 1)  # planes, or one channel
    return (10 * rows["kh"] + width) * fits


def march_shape(channels: int, height: int, width: int, rows: int) -> tuple[int, int, int, int]:
    """(groups of four columns of a tile, lines of it, threads, bytes of shared memory) of march.cuh, for so many rows of the
    launch times chunks of channels, the largest of this size."""
    groups = -(-width // 4)
    across = -(-groups // (MARCH_THREADS // channels))
    groups = -(-groups // across)
    strips = max(-(-height // MARCH_LINES), min(-(-height // MARCH_FEWEST), MARCH_BLOCKS // (rows * across)))
    return groups, -(-height // strips), -(-channels * groups // 32) * 32, 8 * channels * (4 * groups + 8 + groups)


def _filter(device, launch, part: Part, rows: int, ops: int, blob: int, found: int) -> None:
    kernel = device.kernel(part.keys[0])
    if part.code:
        _march(device, kernel, part.rows, launch.channels, part.code % 10, rows, blob)
    else:
        _tiles(device, kernel, part.rows, launch.channels, rows, blob)


def _march(device, kernel, table, channels: int, width: int, rows: int, blob: int) -> None:
    """A marching filter of so many channels at once."""
    high, wide, chunks = int(table["dh"].max()), int(table["dw"].max()), channels // width
    groups, lines, threads, shared = march_shape(width, high, wide, len(table) * chunks)
    across, down = -(-wide // (4 * groups)), -(-high // lines)
    for first, count in cuts(len(table), GRID_YZ // chunks):
        args = (rows + first * table.itemsize, blob, chunks, groups, lines)
        device.launch(kernel, (across, down, count * chunks), args, shared, threads)


def _tiles(device, kernel, table, channels: int, rows: int, blob: int) -> None:
    """Any other filter."""
    separable = table if not table["kind"].any() else table[table["kind"] == 0]  # others need no shared memory
    longest = (int(separable["kh"].max()), int(separable["kw"].max())) if len(separable) else (1, 1)
    tile, chunk, shared = filter_shape(channels, *longest)
    chunks = -(-channels // chunk)
    across, down = -(-int(table["dw"].max()) // tile), -(-int(table["dh"].max()) // tile)
    for first, count in cuts(len(table), GRID_YZ // chunks):
        args = (rows + first * table.itemsize, blob, channels, chunk, tile, tile)
        device.launch(kernel, (across, down, count * chunks), args, shared)


def _reduce(device, launch, part: Part, rows: int, ops: int, blob: int, found: int) -> None:
    table = part.rows
    across = table["down"] * table["across"] * table["count"]
    small = (table["reduction"] == HISTOGRAM).all() and (table["height"].astype(np.int64) * table["width"]).max() <= TILE_PIXELS
    _blocks(device, part, rows, int(across.max()), found, REDUCE_SHARED, TILE_THREADS if small else nvrtc.THREADS)


def _lookup(device, launch, part: Part, rows: int, ops: int, blob: int, found: int) -> None:
    _blocks(device, part, rows, int(part.rows["tables"].max()), found, LOOKUP_SHARED, WARP)


def _blocks(device, part: Part, rows: int, across: int, found: int, shared: int, threads: int = nvrtc.THREADS) -> None:
    """So many blocks for each row; those that it has no use for leave at once."""
    kernel = device.kernel(part.keys[0])
    for first, count in cuts(len(part.rows), GRID_YZ):
        device.launch(kernel, (across, count, 1), (rows + first * part.rows.itemsize, found), shared, threads)


def _rank(device, launch, part: Part, rows: int, ops: int, blob: int, found: int) -> None:
    if part.code:  # a thread for four pixels of a line, whose last four may overlap those before
        fours = part.rows["dh"].astype(np.int64) * (-(-part.rows["dw"] // 4))
        _threads(device, part, int(fours.max()), launch.channels // (part.code % 10), rows, blob)
    else:
        _threads(device, part, _most(part.rows), launch.channels, rows, blob)


def _resample(device, launch, part: Part, rows: int, ops: int, blob: int, found: int) -> None:
    _threads(device, part, _most(part.rows), launch.channels, rows, blob)


def _most(table) -> int:
    """Pixels of the largest output."""
    return int((table["dh"].astype(np.int64) * table["dw"]).max())


def _threads(device, part: Part, threads: int, chunks: int, rows: int, blob: int) -> None:
    """So many threads for each row and chunk of channels."""
    kernel = device.kernel(part.keys[0])
    for first, count in cuts(len(part.rows), GRID_YZ):
        grid = (-(-threads // nvrtc.THREADS), count, chunks)
        device.launch(kernel, grid, (rows + first * part.rows.itemsize, blob), 0)


_CODES = {"fused": gathers, "filter": marches, "rank": medians}  # of each row, by which kernels take it; None: one takes all
_LAUNCH = {"fused": _fused, "filter": _filter, "reduce": _reduce, "lookup": _lookup, "rank": _rank, "resample": _resample}


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

    def launch(self, kernel, grid, args, shared: int, threads: int = nvrtc.THREADS) -> None:
        kernel(grid, (threads,), args, shared_mem=shared, stream=self._stream)


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
