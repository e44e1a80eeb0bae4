"""What is launched for the rows of a plan's launch: which kernels take them, and with which grids.

The rows that one kernel takes are a `Part`. Its `Shape` is all that a grid depends on, in numbers of which a larger one is right,
too: blocks beyond what a row needs leave at once, and so do those of a row of zeros.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from . import nvrtc
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
# codes: of gathers by the maps that map.cuh has with GPUAUG_MATRIX (affine, projective, resize), and of ranks that are no medians
MATRIX, EXTREMES = 1, 1
_GATHERS = np.array([0, 1, 1, 2, 2, 2, 2, 2, 1, 2, 2], np.int8)  # the code of each map
_SAMPLE = np.array([0, 1, 2, 1, 3])  # by the Sample of a row, which kernel has it: linear has linear along x, too
SHARED = 48 * 1024  # bytes that every GPU gives a block without asking


class Shape(NamedTuple):
    """What the launch of a part depends on.

    Attributes:
        code: which of the kind's kernels, as `_CODES` has it; 0: the only one, or the one that takes all.
        ops: of a fused launch, the operations that its pipeline can emit, a bit for each.
        row: bytes of a row.
        most: the largest that its rows have of what the grid depends on, in the order of `_MEASURES`, behind how many rows
            there are.
    """

    kind: str
    source: str
    target: str
    channels: int
    code: int
    ops: int | None
    row: int
    most: tuple[int, ...]

    def kernels(self) -> list[Key]:
        """Its kernels: of a fused one those of the chunks of channels."""
        if self.kind == "fused":  # the most that a gather interpolates with: cubic is most of what NVRTC would compile
            sample = nvrtc.SAMPLES[1 + self.most[2] if self.code else 0]
            key = Key(
                "fused", self.source, self.target, sample=sample, ops=self.ops, only="matrix" if self.code == MATRIX else None
            )
            return [key._replace(channels=width) for _, width, _ in chunks_of(self.channels)]
        if self.code == EXTREMES:
            return [Key(self.kind, self.source, only="extremes")]
        if self.code:
            return [Key(self.kind, self.source, channels=self.code % 10, taps=self.code // 10)]
        return [Key(self.kind, self.source)]

    def possible(self) -> bool:
        """Whether a block has memory for it."""
        return self.kind != "filter" or self.code > 0 or _tile(self.channels, *self.most[3:]) is not None

    def queue(self, device, rows: int, ops: int, blob: int, found: int) -> None:
        """Launch them on a device of `gpuaug.backends.cuda.run` for as many rows as `most` says, at an address."""
        _QUEUE[self.kind](self, device, _Rows(rows, self.row, self.most[0]), ops, blob, found)


class Part(NamedTuple):
    """Rows of a launch that one kernel takes; first: where among its rows they begin."""

    shape: Shape
    first: int
    rows: np.ndarray


class _Rows(NamedTuple):
    at: int
    itemsize: int
    count: int

    def cuts(self, limit: int):
        """(address, count) of pieces of at most `limit` rows."""
        for first in range(0, self.count, limit):
            yield self.at + first * self.itemsize, min(limit, self.count - first)


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
    if launch.kind != "fused":
        ops = None
    elif ops is None:
        ops = sum(1 << int(code) for code in np.unique(launch.ops["code"])) if launch.ops is not None else 0
    of = launch.kind, launch.source, launch.target, launch.channels
    return [
        Part(Shape(*of, code, ops, rows.itemsize, (len(some), *_MEASURES[launch.kind](some, code))), first, some)
        for code, first, some in found
    ]


def queue(plan, parts: list[tuple], device) -> None:
    """Upload what a plan's launches read, and launch them. parts: of each launch that has rows, arranged."""
    base, _owner = device.upload(plan.memory)  # it may be freed when everything is queued: see `gpuaug.backends.cuda.run`
    found, _owner_of_found = (0, None) if plan.found is None else device.empty(plan.found.nbytes)
    for launch, of in parts:
        rows, ops, blob = (base + offset for offset in launch.offsets)
        for part in of:
            part.shape.queue(device, rows + part.first * part.shape.row, ops, blob, found)


def keys_of(launch, ops: int | None = None) -> list[Key]:
    """The kernels of a launch."""
    return [key for part in parts_of(launch, ops) for key in part.shape.kernels()]


def chunks_of(channels: int) -> list[tuple[int, int, int]]:
    """(first channel, channels per chunk, chunks): 3 as one, otherwise fours and then ones."""
    if channels == 3:
        return [(0, 3, 1)]
    fours = channels // 4
    return ([(0, 4, fours)] if fours else []) + ([(4 * fours, 1, channels % 4)] if channels % 4 else [])


# ---- which of a kind's kernels takes a row -----------------------------------------------------


def gathers(launch) -> np.ndarray:
    """[rows]: 0 for views, `MATRIX` for gathers with a matrix, and resizes, 2 for all others."""
    return _GATHERS[launch.rows["map"]]


def marches(launch) -> np.ndarray | None:
    """[rows]: 10 times the number of weights plus the channels of a pixel, for rows that march.cuh filters; 0 for the others."""
    rows = launch.rows
    if launch.source == "uint8":
        return _coded(launch, rows["sx"], (rows["even"] != 0) & _MARCHED[np.minimum(rows["kh"], 9)])


def medians(launch) -> np.ndarray:
    """[rows]: the same of those that median.cuh ranks. It takes mirrored lines. `EXTREMES` for what is no median."""
    rows = launch.rows
    few = EXTREMES * (rows["kind"] != MEDIAN)
    if launch.source != "uint8":
        return few
    fits = (rows["kind"] == MEDIAN) & _RANKED[np.minimum(rows["kh"], 9)] & (rows["sw"] >= 8) & (rows["border"] == 1)
    return few + _coded(launch, np.abs(rows["sx"]), fits)


def _coded(launch, step: np.ndarray, fits: np.ndarray) -> np.ndarray:
    """step: from pixel to pixel."""
    rows, channels = launch.rows, launch.channels
    if channels in (3, 4):
        width = np.where((step == channels) & (rows["sc"] == 1), channels, 1)
        fits = fits & ((step == 1) | (width > 1))
    else:
        width, fits = 1, fits & (step == 1)  # planes, or one channel
    return (10 * rows["kh"] + width) * fits


_CODES = {"fused": gathers, "filter": marches, "rank": medians}  # of each row; None: one kernel takes all


# ---- what a grid depends on --------------------------------------------------------------------


def _pixels(rows, code: int) -> tuple[int]:
    """Pixels of the largest output."""
    return (int((rows["dh"].astype(np.int64) * rows["dw"]).max()),)


def _fused(rows, code: int) -> tuple[int, int]:
    return (*_pixels(rows, code), int(_SAMPLE[rows["sample"]].max()) if code else 0)


def _filter(rows, code: int) -> tuple[int, int, int, int]:
    """Height and width of the largest output, and of the longest weights that need shared memory."""
    size = int(rows["dh"].max()), int(rows["dw"].max())
    separable = rows if not rows["kind"].any() else rows[rows["kind"] == 0]
    return (*size, 1, 1) if code or not len(separable) else (*size, int(separable["kh"].max()), int(separable["kw"].max()))


def _reduce(rows, code: int) -> tuple[int, int]:
    """Blocks of a row, and whether they are worth all threads."""
    small = (rows["reduction"] == HISTOGRAM).all() and (rows["height"].astype(np.int64) * rows["width"]).max() <= TILE_PIXELS
    return int((rows["down"] * rows["across"] * rows["count"]).max()), int(not small)


def _lookup(rows, code: int) -> tuple[int]:
    return (int(rows["tables"].max()),)


def _rank(rows, code: int) -> tuple[int]:
    if code <= EXTREMES:
        return _pixels(rows, code)
    # a thread for four pixels of a line, whose last four may overlap those before
    return (int((rows["dh"].astype(np.int64) * (-(-rows["dw"] // 4))).max()),)


_MEASURES = {"fused": _fused, "filter": _filter, "reduce": _reduce, "lookup": _lookup, "rank": _rank, "resample": _pixels}


# ---- launches ----------------------------------------------------------------------------------


def _queue_fused(shape: Shape, device, rows: _Rows, ops: int, blob: int, found: int) -> None:
    tiles = -(-shape.most[1] // FUSED_PIXELS)
    for key, (channel0, _, chunks) in zip(shape.kernels(), chunks_of(shape.channels)):
        kernel = device.kernel(key)
        for at, count in rows.cuts(GRID_YZ):
            device.launch(kernel, (tiles, count, chunks), (at, ops, blob, found, shape.channels, channel0), 0)


def filter_shape(channels: int, kh: int, kw: int) -> tuple[int, int, int]:
    """(tile, channels per block, bytes of shared memory) for the longest weights of a launch, as gpu/filter.cuh asks."""
    found = _tile(channels, kh, kw)
    if found is None:
        raise ValueError(
            f"a filter of {kh} x {kw} weights does not fit into the {SHARED} bytes of shared memory of a GPU's block"
        )
    return found


def _tile(channels: int, kh: int, kw: int) -> tuple[int, int, int] | None:
    tile = FILTER_TILE
    while tile:
        lines = tile + kh - 1
        bytes_ = 4 * (min(lines, FILTER_ROWS) * (tile + kw - 1) + lines * tile)
        if bytes_ <= SHARED:
            chunk = max(1, min(channels, 4, SHARED // bytes_))
            return tile, chunk, chunk * bytes_
        tile //= 2
    return None


def march_shape(channels: int, height: int, width: int, rows: int) -> tuple[int, int, int, int]:
    """(groups of four columns of a tile, lines of it, threads, bytes of shared memory) of march.cuh, for so many rows of the
    launch times chunks of channels, the largest of this size."""
    groups = -(-width // 4)
    across = -(-groups // (MARCH_THREADS // channels))
    groups = -(-groups // across)
    strips = max(-(-height // MARCH_LINES), min(-(-height // MARCH_FEWEST), MARCH_BLOCKS // (rows * across)))
    buffer = -(-4 * channels * (4 * groups + 8 + groups) // 16) * 16  # vectors begin at multiples of 16 bytes
    return groups, -(-height // strips), -(-channels * groups // 32) * 32, 2 * buffer


def _queue_filter(shape: Shape, device, rows: _Rows, ops: int, blob: int, found: int) -> None:
    kernel, (_, high, wide, kh, kw), channels = device.kernel(shape.kernels()[0]), shape.most, shape.channels
    if shape.code:  # a marching one, of so many channels at once
        width = shape.code % 10
        chunks = channels // width
        groups, lines, threads, shared = march_shape(width, high, wide, rows.count * chunks)
        across, down = -(-wide // (4 * groups)), -(-high // lines)
        for at, count in rows.cuts(GRID_YZ // chunks):
            device.launch(kernel, (across, down, count * chunks), (at, blob, chunks, groups, lines), shared, threads)
        return
    tile, chunk, shared = filter_shape(channels, kh, kw)
    chunks = -(-channels // chunk)
    across, down = -(-wide // tile), -(-high // tile)
    for at, count in rows.cuts(GRID_YZ // chunks):
        device.launch(kernel, (across, down, count * chunks), (at, blob, channels, chunk, tile, tile), shared)


def _queue_reduce(shape: Shape, device, rows: _Rows, ops: int, blob: int, found: int) -> None:
    _blocks(shape, device, rows, found, REDUCE_SHARED, nvrtc.THREADS if shape.most[2] else TILE_THREADS)


def _queue_lookup(shape: Shape, device, rows: _Rows, ops: int, blob: int, found: int) -> None:
    _blocks(shape, device, rows, found, LOOKUP_SHARED, WARP)


def _blocks(shape: Shape, device, rows: _Rows, found: int, shared: int, threads: int) -> None:
    """So many blocks for each row; those that it has no use for leave at once."""
    kernel = device.kernel(shape.kernels()[0])
    for at, count in rows.cuts(GRID_YZ):
        device.launch(kernel, (shape.most[1], count, 1), (at, found), shared, threads)


def _queue_threads(shape: Shape, device, rows: _Rows, ops: int, blob: int, found: int) -> None:
    """So many threads for each row and chunk of channels."""
    kernel, chunks = device.kernel(shape.kernels()[0]), shape.channels // (shape.code % 10 if shape.code > EXTREMES else 1)
    for at, count in rows.cuts(GRID_YZ):
        device.launch(kernel, (-(-shape.most[1] // nvrtc.THREADS), count, chunks), (at, blob), 0)


_QUEUE = {
    "fused": _queue_fused,
    "filter": _queue_filter,
    "reduce": _queue_reduce,
    "lookup": _queue_lookup,
    "rank": _queue_threads,
    "resample": _queue_threads,
}
