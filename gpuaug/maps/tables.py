"""Maps that read tables: a number for each column and line, control points, or a place for every pixel."""

from __future__ import annotations

import numpy as np

from ..ragged import Ragged, runs
from .base import Map, checked


class Grid(Map):
    """Columns and lines that move on their own: tables of where each is read, which must not decrease.

    Args:
        columns, lines: `Ragged`, one number for each output column and line.
    """

    kind = "grid"

    def __init__(self, columns: Ragged, lines: Ragged):
        if len(columns) != len(lines):
            raise ValueError(f"columns are of {len(columns)} samples, lines of {len(lines)}")
        for name, tables in (("columns", columns), ("lines", lines)):
            falls = np.flatnonzero(np.diff(tables.values) < 0) + 1
            falls = falls[~np.isin(falls, tables.starts)]
            if len(falls):
                i = int(np.searchsorted(tables.starts, falls[0], side="right")) - 1
                raise ValueError(f"{name} of sample {i} decrease")
        self._axes = columns, lines
        self.cells = np.stack([columns.counts, lines.counts], 1)
        self.start, both = _one_behind_another(columns, lines)
        self.table = both.astype(np.float32)
        self.numbers = np.zeros((len(columns), 1))

    def _along(self, which, xy, move):
        out = np.empty_like(xy)
        for i in np.unique(which):
            mine = which == i
            for axis, table in enumerate(self._axes):
                out[mine, axis] = move(table.of(i), xy[mine, axis])
        return out

    def source(self, which, xy):
        def move(table, x):  # beyond the ends as far as at them
            inside = np.clip(x, 0, len(table) - 1)
            return np.interp(inside, np.arange(len(table)), table) + x - inside

        return self._along(which, np.asarray(xy, np.float64), move)

    def target(self, which, xy):
        def move(table, x):
            inside = np.clip(x, table[0], table[-1])
            return np.interp(inside, table, np.arange(len(table))) + x - inside

        return self._along(which, np.asarray(xy, np.float64), move)


class Mesh(Map):
    """Shifts of a smooth surface: a uniform cubic B-spline.

    Args:
        shift: `Ragged` of ``[lines * columns, 2]`` (x, y) in pixels: its control points, of which the second lies over the first
            pixel and the last but one over the last pixel (`spline` has their weights at pixels).
        nodes: int ``[n, 2]``, lines and columns, at least 4. size: ``[n, 2]``, heights and widths.
    """

    kind = "mesh"

    def __init__(self, shift: Ragged, nodes, size):
        nodes, size = checked("nodes", nodes, (len(shift), 2)).astype(np.int64), checked("size", size, (len(shift), 2))
        wrong = np.flatnonzero((nodes.prod(1) != shift.counts) | (nodes < 4).any(1))
        if len(wrong):
            i = int(wrong[0])
            raise ValueError(f"a mesh of {nodes[i].tolist()} nodes, each at least 4, has {shift.counts[i]} shifts (sample {i})")
        self.shift, self.cells = shift, nodes[:, ::-1].copy()
        self.numbers = (self.cells - 3) / np.maximum(size[:, ::-1] - 1, 1)
        self.table, self.start = shift.values.astype(np.float32, copy=False), 2 * shift.starts

    def source(self, which, xy):
        cells, at = self.cells[which], xy * self.numbers[which]
        first, (wx, wy) = _control(at, cells)
        out = np.zeros((len(xy), 2))
        for j in range(4):
            for i in range(4):
                node = self.shift.starts[which] + (first[:, 1] + j) * cells[:, 0] + first[:, 0] + i
                out += (wx[i] * wy[j])[:, None] * self.shift.values[node]
        return xy + out


def _control(at: np.ndarray, cells: np.ndarray):
    """Of places ``[N, 2]`` in control points: the first of four, and their weights along x and along y; beyond the ends as
    there."""
    at = np.clip(at, 0, cells - 3)
    first = np.minimum(at.astype(np.int64), cells - 4)
    return first, [_spline_weights(t) for t in (at - first).T]


def _spline_weights(t):
    u = 1 - t
    return u**3 / 6, (t / 2 - 1) * t**2 + 2 / 3, (u / 2 - 1) * u**2 + 2 / 3, t**3 / 6


def spline(side: int, nodes: int) -> np.ndarray:
    """Weights ``[side, nodes]`` of the control points of a `Mesh` at the pixels of a side."""
    first, weights = _control(np.arange(side)[:, None] * ((nodes - 3) / max(side - 1, 1)), np.full((side, 1), nodes))
    out = np.zeros((side, nodes))
    for i, weight in enumerate(weights[0]):
        out[np.arange(side), first[:, 0] + i] = weight
    return out


class Field(Map):
    """A place for every output pixel.

    Args:
        places: `Ragged` of ``[height * width, 2]`` (x, y). size: int ``[n, 2]``.
    """

    kind = "field"

    def __init__(self, places: Ragged, size):
        size = checked("size", size, (len(places), 2)).astype(np.int64)
        if (size.prod(1) != places.counts).any():
            i = int(np.flatnonzero(size.prod(1) != places.counts)[0])
            raise ValueError(f"a field of {size[i].tolist()} pixels has {places.counts[i]} places (sample {i})")
        self.places, self.cells, self.numbers = places, size[:, ::-1].copy(), np.zeros((len(size), 1))
        self.table, self.start = places.values.astype(np.float32), 2 * places.starts

    def source(self, which, xy):
        cells = self.cells[which]
        return _between(self.places, which, cells, xy) + xy - np.clip(xy, 0, cells - 1)


class Tiles(Map):
    """The image cut into tiles that change places.

    Args:
        x, y: int ``[n, C + 1]``, ``[n, R + 1]``: where tiles start and, at last, end.
        origin: int ``[n, R C]``: which tile of the source an output tile shows, of the same height and width; row by row.
    """

    kind = "tiles"

    def __init__(self, x, y, origin):
        x = checked("x", x, (None, None)).astype(np.int64)
        y = checked("y", y, (len(x), None)).astype(np.int64)
        n, columns, lines = len(x), x.shape[1] - 1, y.shape[1] - 1
        origin = checked("origin", origin, (n, columns * lines)).astype(np.int64)
        if (np.sort(origin, 1) != np.arange(columns * lines)).any():
            raise ValueError("origin must hold every tile once")
        self.x, self.y, self.origin, self.back = x, y, origin, np.argsort(origin, 1)
        corner = np.stack(np.broadcast_arrays(x[:, None, :-1], y[:, :-1, None]), 3).reshape(n, -1, 2)
        extent = np.stack(np.broadcast_arrays(np.diff(x)[:, None], np.diff(y)[:, :, None]), 3).reshape(n, -1, 2)
        if (np.take_along_axis(extent, origin[:, :, None], 1) != extent).any():
            raise ValueError("a tile must show one of its own height and width")
        self.shift = np.take_along_axis(corner, origin[:, :, None], 1) - corner
        self.cells = np.stack([x[:, -1], y[:, -1]], 1)
        of_column = Ragged(_numbered(x), x[:, -1] - x[:, 0])
        of_line = Ragged(_numbered(y), y[:, -1] - y[:, 0])
        shifts = Ragged(self.shift.ravel(), np.full(n, 2 * columns * lines))
        self.start, words = _one_behind_another(of_column, of_line, shifts)
        self.table = words.astype(np.int32)
        self.numbers = np.full((n, 1), float(columns))

    def lowered(self, interpolation):
        return self.kind, "nearest"  # whole pixels: nothing to interpolate

    def tile(self, which, xy, before=0.5) -> np.ndarray:
        """The tiles in which points lie, which begin so far before their first pixels' centres; those outside belong to the
        nearest."""
        columns, lines = ((edges[which, 1:-1] - before <= xy[:, i, None]).sum(1) for i, edges in enumerate((self.x, self.y)))
        return lines * (self.x.shape[1] - 1) + columns

    def source(self, which, xy):
        return xy + self.shift[which, self.tile(which, xy)]

    def target(self, which, xy, before=0.5):
        return xy - self.shift[which, self.back[which, self.tile(which, xy, before)]]

    def points(self, which, points, before=0.5):
        out = points.copy()
        out[:, :2] = self.target(which, points[:, :2], before)
        return out, None


def _between(values: Ragged, which, cells, at):
    """Linear between the four of ``[lines, columns]`` values around places ``[N, 2]``; beyond the ends as at them."""
    at = np.clip(at, 0, cells - 1)
    i = np.minimum(at.astype(np.int64), np.maximum(cells - 2, 0))
    step, f = np.minimum(cells - 1, 1), at - i
    first = values.starts[which] + i[:, 1] * cells[:, 0] + i[:, 0]
    right, below = step[:, 0], step[:, 1] * cells[:, 0]
    a, b, c, d = (values.values[first + more].astype(np.float64) for more in (0, right, below, below + right))
    top = a + (b - a) * f[:, :1]
    return top + (c + (d - c) * f[:, :1] - top) * f[:, 1:]


def _numbered(edges):
    """0 for every pixel of the first tile, 1 for those of the second, ..., of all samples one after the other."""
    n, tiles = len(edges), edges.shape[1] - 1
    return np.repeat(np.tile(np.arange(tiles), n), np.diff(edges).ravel())


def _one_behind_another(*parts: Ragged) -> tuple[np.ndarray, np.ndarray]:
    """The values of a sample of all parts, one part behind another; where each sample's start, and all of them."""
    start = np.sum([part.starts for part in parts], 0)
    out, at = np.empty(sum(len(part.values) for part in parts)), start
    for part in parts:
        out[runs(at, part.counts)] = part.values
        at = at + part.counts
    return start, out
