"""Maps: where an output pixel of a geometric transform is read, and so where points and boxes go.

A map is of n samples. `Map.source` says where an output pixel is read: kernels/map.cuh computes the same in float32. `Map.target`
is its inverse: a closed form, or Newton's method until it is within 0.05 pixels, or lost. Points and boxes follow from these two.
Centres of pixels are whole numbers; samples are told by ``which`` ``[N]``, the line of the map that each of N points belongs to.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from .geometry import affine_boxes, affine_points
from .ragged import Ragged, runs

_T = np.arange(16) / 16  # along a side, 16 points: one that bends by 1 pixel is told to 1 / 16^2 of one
# all around the unit square
_OUTLINE = np.concatenate([np.stack(s, 1) for s in ((_T, 0 * _T), (0 * _T + 1, _T), (1 - _T, 0 * _T + 1), (0 * _T, 1 - _T))])
STEPS, CLOSE, FOUND = 12, 1e-6, 0.05  # Newton's steps; pixels at which it stops; pixels within which a place counts as found
# kinds, as kernels/map.cuh knows them (`python kernels/generate.py`): those that give places, which are interpolated, and those
# that give whole pixels inside of the image
PLACES = ("view", "affine", "projective", "time_warp", "radial", "grid", "mesh", "field")
WHOLE = ("resize", "pixels", "tiles")
KINDS = {name: number for number, name in enumerate((*PLACES, *WHOLE))}
_LAST = np.array([0.0, 0, 1])  # the last row of an affine matrix
MOST_NUMBERS = 9  # Row.m
# words of a sample's table, by its cells ``[n, 2]`` (columns, lines); tiles' shifts follow
_WORDS = {
    "grid": lambda cells: cells.sum(1),
    "mesh": lambda cells: 2 * cells.prod(1),
    "field": lambda cells: 2 * cells.prod(1),
    "tiles": lambda cells: cells.sum(1),
}
_RESIZES = {0: ("resize", "nearest"), 1: ("affine", "linear"), 2: ("affine", "cubic"), 6: ("pixels", "nearest")}
_NUMBERS = {0: "nearest", 1: "linear", 2: "cubic", 6: "nearest"}  # by OpenCV's number: a map tells 0 from 6 in resizes only


class Map:
    """Output pixel to source pixel, of n samples.

    A kind of map gives `source`, and `target` where that has a closed form. For the kernels it fills:

    Attributes:
        kind: name in `KINDS`.
        n: how many samples.
        numbers: float64 ``[n, k]``, k <= 9: what stands in ``Row.m``. None: a resize, made from the size that a sample has then.
        forward: numbers are a matrix from source to output, and are inverted.
        table: 32-bit words, of which sample i's begin at ``start[i]``; or None. cells: int ``[n, 2]``, its columns and lines.
        factors: of a resize, see `Resize`.
    """

    kind = ""
    forward = False
    numbers: np.ndarray | None = None
    factors: np.ndarray | float = 0.0
    table: np.ndarray | None = None
    start: np.ndarray | int = 0
    cells: np.ndarray | int = 0

    @property
    def n(self) -> int:
        return len(self.numbers)

    def lowered(self, interpolation: int) -> tuple[str, str]:
        """The names in `KINDS` and `gpuaug.plan.SAMPLES` for OpenCV's number of an interpolation."""
        return self.kind, _one_of(_NUMBERS, interpolation)

    def check(self, kind: str, size: np.ndarray) -> None:
        """Raise unless the kernel can read what it is given, for outputs of ``size`` ``[n or 1, 2]``."""
        if kind not in KINDS:
            raise ValueError(f"there is no kind of map {kind!r}; gpuaug.maps.KINDS has {', '.join(KINDS)}")
        if self.numbers is not None and (self.numbers.ndim != 2 or self.numbers.shape[1] > MOST_NUMBERS):
            raise ValueError(f"numbers of a map must be [n, k], k <= {MOST_NUMBERS}, not {list(self.numbers.shape)}")
        if self.kind not in _WORDS:  # "pixels" of a resize: the library makes the tables
            return
        if self.table is None or self.table.dtype.char not in "fiI":
            raise ValueError(f"a map of kind {kind!r} reads a table of 32-bit words, not {getattr(self.table, 'dtype', None)}")
        cells = np.asarray(self.cells)
        if cells.ndim != 2 or cells.shape[1] != 2:
            raise ValueError(f"cells of a map of kind {kind!r} must be int [n, 2] (columns, lines), not {list(cells.shape)}")
        short = np.flatnonzero(np.asarray(self.start) + _WORDS[self.kind](cells) > self.table.size)
        if len(short):
            raise ValueError(f"the table of a map of kind {kind!r} ends before that of sample {short[0]}")
        if self.kind != "mesh" and (size > cells[:, ::-1]).any():
            i = int(np.flatnonzero((size > cells[:, ::-1]).any(1))[0])
            raise ValueError(
                f"a map of kind {kind!r} has places for {cells[i, ::-1].tolist()} lines and columns of sample {i}, the result is "
                f"{np.broadcast_to(size, cells.shape)[i].tolist()}"
            )

    def source(self, which: np.ndarray, xy: np.ndarray) -> np.ndarray:
        """Where output points ``[N, 2]`` are read, ``[N, 2]``."""
        raise NotImplementedError(f"{type(self).__name__} gives no source(which, xy), the formula of its places")

    def jacobian(self, which: np.ndarray, xy: np.ndarray, step: float = 1e-3) -> np.ndarray:
        """d source / d output at output points: ``[N, 2, 2]``."""
        ahead = [(self.source(which, xy + d) - self.source(which, xy - d)) / (2 * step) for d in step * np.eye(2)]
        return np.stack(ahead, 2)

    def target(self, which: np.ndarray, xy: np.ndarray) -> np.ndarray:
        """Where source points ``[N, 2]`` go; NaN for those that no output pixel shows."""
        at = np.array(xy, np.float64)
        with np.errstate(all="ignore"):
            for _ in range(STEPS):
                miss = self.source(which, at) - xy
                if not np.abs(miss).max(initial=0) > CLOSE:
                    break
                (a, b), (c, d) = np.moveaxis(self.jacobian(which, at), 0, 2)
                det = a * d - b * c
                at[:, 0] -= (d * miss[:, 0] - b * miss[:, 1]) / det
                at[:, 1] -= (a * miss[:, 1] - c * miss[:, 0]) / det
            near = np.abs(self.source(which, at) - xy).max(1, keepdims=True) < FOUND
        return np.where(near, at, np.nan)

    def points(self, which: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Keypoints ``[N, 4]`` (x, y, angle, scale) and which of them are left (None: all).

        An angle turns as the direction it stands for; a scale grows as the axis does that the map stretches more.
        """
        out = points.copy()
        moved = self.target(which, points[:, :2])
        left = np.isfinite(moved).all(1)
        if not left.all():
            which, out, points = which[left], points[left], points[left]
        at = moved[left]
        (a, b), (c, d) = np.moveaxis(self.jacobian(which, at), 0, 2)
        det = a * d - b * c
        det = np.where(det == 0, 1, det)
        forward = np.stack([np.stack([d, -b], 1), np.stack([-c, a], 1)], 1) / det[:, None, None]
        cos, sin = np.cos(points[:, 2]), np.sin(points[:, 2])
        out[:, :2] = at
        out[:, 2] = np.arctan2(forward[:, 1, 0] * cos + forward[:, 1, 1] * sin, forward[:, 0, 0] * cos + forward[:, 0, 1] * sin)
        out[:, 3] *= np.sqrt((forward**2).sum(1)).max(1)
        if left.all():
            return out, None
        every = np.zeros((len(left), 4))
        every[left] = out
        return every, left

    def boxes(self, which: np.ndarray, boxes: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The boxes ``[N, 4]`` around what is shown of boxes in results of ``size`` ``[n, 2]``, and which are left (None:
        all)."""
        low, high = boxes[:, None, :2] - 0.5, boxes[:, None, 2:] - 0.5
        every = np.repeat(which, len(_OUTLINE))
        size = np.asarray(size)
        moved = self.target(every, (low + _OUTLINE * (high - low)).reshape(-1, 2)).reshape(len(boxes), -1, 2)
        if not np.isfinite(moved).all():
            # a side that is shown nowhere lies beyond the result's own sides: where those are inside of the box
            frame = _OUTLINE * size[which][:, None, ::-1] - 0.5
            source = self.source(every, frame.reshape(-1, 2)).reshape(frame.shape)
            inside = ((source >= low) & (source <= high)).all(2, keepdims=True)
            moved = np.concatenate([moved, np.where(inside, frame, np.nan)], 1)
        moved += 0.5
        left = np.isfinite(moved).all(2).any(1)
        moved[~left] = 0
        out = np.concatenate([np.nanmin(moved, 1), np.nanmax(moved, 1)], 1)
        return out, None if left.all() else left


def _one_of(known: dict, interpolation: int):
    if interpolation not in known:
        names = {0: "nearest", 1: "linear", 2: "cubic", 6: "nearest exact"}
        allowed = ", ".join(f"{k} ({names[k]})" for k in known)
        raise ValueError(f"interpolation {interpolation!r} is not among those of this map: {allowed}")
    return known[interpolation]


def _checked(name: str, values, shape: tuple) -> np.ndarray:
    """float64 of a shape in which None stands for any number."""
    values = np.asarray(values, np.float64)
    if values.ndim != len(shape) or any(s is not None and s != v for s, v in zip(shape, values.shape)):
        want = ", ".join("n" if s is None else str(s) for s in shape)
        raise ValueError(f"{name} must be [{want}], not {list(values.shape)}")
    return values


class Projective(Map):
    """By 3x3 matrices.

    Args:
        matrix: ``[n, 3, 3]``, from source to output, as ``cv2.warpPerspective`` takes it.
        forward: False: from output to source.
    """

    kind = "projective"

    def __init__(self, matrix, *, forward: bool = True):
        self.matrix, self.forward = _checked("matrix", matrix, (None, 3, 3)), forward
        self.numbers = self.matrix.reshape(-1, 9)
        last = self.numbers[:, 6:]
        self.affine = bool((last == _LAST).all())

    def _inverse(self, which):
        return np.linalg.inv(self.matrix[which])

    def source(self, which, xy):
        return projected(self._inverse(which) if self.forward else self.matrix[which], xy)

    def target(self, which, xy):
        matrix = self.matrix[which] if self.forward else self._inverse(which)
        moved, w = projected(matrix, xy), _denominator(matrix, xy)
        # what lies behind the horizon, on the other side than the image's middle, is shown nowhere
        return moved if self.affine else np.where(w[:, None] * matrix[:, 2, 2, None] > 0, moved, np.nan)

    def points(self, which, points):
        if self.affine:
            matrix = self.matrix[which] if self.forward else self._inverse(which)
            stretch = np.sqrt((matrix[:, :2, :2] ** 2).sum(1)).max(1)
            return affine_points(points, matrix, stretch), None
        return super().points(which, points)

    def boxes(self, which, boxes, size):
        if self.affine:
            return affine_boxes(boxes, self.matrix[which] if self.forward else self._inverse(which)), None
        return super().boxes(which, boxes, size)


def _denominator(matrix, xy):
    return matrix[:, 2, 0] * xy[:, 0] + matrix[:, 2, 1] * xy[:, 1] + matrix[:, 2, 2]


def projected(matrix: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Points ``[N, 2]`` by matrices ``[N, 3, 3]``."""
    over = np.einsum("nij,nj->ni", matrix[:, :2, :2], xy) + matrix[:, :2, 2]
    with np.errstate(all="ignore"):
        return over / _denominator(matrix, xy)[:, None]


class Affine(Projective):
    """By matrices whose last row is (0, 0, 1): ``[n, 2, 3]`` without it, or ``[n, 3, 3]``."""

    def __init__(self, matrix, *, forward: bool = True):
        matrix = np.asarray(matrix, np.float64)
        if matrix.ndim == 3 and matrix.shape[1:] == (2, 3):
            matrix = np.concatenate([matrix, np.broadcast_to([[[0.0, 0, 1]]], (len(matrix), 1, 3))], 1)
        super().__init__(matrix, forward=forward)
        if not self.affine:
            i = int(np.flatnonzero((self.numbers[:, 6:] != (0, 0, 1)).any(1))[0])
            raise ValueError(f"matrix {i} is projective: it ends in {self.numbers[i, 6:].tolist()}, affine ones in (0, 0, 1)")


class Window(Affine):
    """A window that starts at ``start`` ``[n, 2]`` (x, y), may begin and end outside, and is enlarged by ``scale``, which the
    whole of pixels scales with: their edges, not their centres."""

    def __init__(self, start, scale=None):
        self.offset = _checked("start", start, (None, 2))
        self.scale = np.ones_like(self.offset) if scale is None else _checked("scale", scale, (len(self.offset), 2))
        self.forward, self.affine = False, True
        self.numbers = np.zeros((len(self.offset), 9))
        self.numbers[:, 0:5:4], self.numbers[:, 8] = 1 / self.scale, 1
        self.numbers[:, 2:6:3] = self.offset if scale is None else self.offset + 0.5 / self.scale - 0.5

    @cached_property
    def matrix(self):
        return self.numbers.reshape(-1, 3, 3)

    def points(self, which, points):
        start, scale = self.offset[which], self.scale[which]
        out = points.copy()
        out[:, :2] = (points[:, :2] - start) * scale
        out[:, :2] += 0.5 * scale - 0.5  # (x + 0.5) s - 0.5: from the edge of a pixel
        out[:, 3] *= np.max(scale, 1)
        bent = scale[:, 0] != scale[:, 1]
        angle = points[bent, 2]
        out[bent, 2] = np.arctan2(np.sin(angle) * scale[bent, 1], np.cos(angle) * scale[bent, 0])
        return out, None

    def boxes(self, which, boxes, size):
        start, scale = self.offset[which], self.scale[which]
        return np.concatenate([(boxes[:, :2] - start) * scale, (boxes[:, 2:] - start) * scale], 1), None


class Resize(Window):
    """To another size with pixel centres at half-integers, as ``cv2.resize``; nearest (0) and nearest exact (6) by its two rules.

    A sample that has the size stays as it is.

    Args:
        before, after: ``[n, 2]`` (of ``after`` also one for all), heights and widths.
        factors: ``[n, 2]`` (x, y): how many pixels become of one, where that is not what the sizes say (``cv2.resize``'s fx, fy,
            which nearest exact disregards).
    """

    def __init__(self, before, after, factors=0.0):
        self.before, self.after, self.factors = _checked("before", before, (None, 2)), after, factors
        self.numbers, self.forward, self.affine = None, False, True  # the library makes the matrices

    @property
    def n(self):
        return len(self.before)

    @cached_property
    def offset(self):
        return np.zeros_like(self.before)

    @cached_property
    def scale(self):
        if np.ndim(self.factors):
            return np.asarray(self.factors, np.float64)
        return (np.broadcast_to(np.asarray(self.after, np.float64), self.before.shape) / self.before)[:, ::-1]

    @cached_property
    def matrix(self):
        return Window(self.offset, self.scale).matrix

    def lowered(self, interpolation):
        return _one_of(_RESIZES, interpolation)


class TimeWarp(Map):
    """Along x alone, in two linear pieces: the column ``before`` goes to ``after``, the first and the last stay, and so does what
    lies behind ``length`` (padding). Or, reversed: backwards.

    Args:
        before, after, length: ``[n]``; the two lie within 1 .. length - 2.
    """

    kind = "time_warp"

    def __init__(self, before, after, length):
        before, after, length = (np.asarray(v, np.float64) for v in (before, after, length))
        last, zero = length - 1, np.zeros_like(length)
        self.numbers = np.stack([before / after, after, before, (last - before) / (last - after), length, zero], 1)

    @classmethod
    def reversed(cls, length) -> TimeWarp:
        made, length = cls.__new__(cls), np.asarray(length, np.float64)
        zero = np.zeros_like(length)
        made.numbers = np.stack([zero - 1, length, zero, zero, length, length - 1], 1)
        return made

    def lowered(self, interpolation):
        return self.kind, _one_of({0: "nearest", 1: "line"}, interpolation)

    def source(self, which, xy):
        before, to, at, after, length, first = self.numbers[which].T
        x, last = xy[:, 0], length - 1
        moved = np.where(x < to, x * before + first, np.where(x > to, (x - last) * after + last, at))
        return np.stack([np.where(x >= length, x, np.clip(moved, 0, last)), xy[:, 1]], 1)

    def target(self, which, xy):
        before, to, at, after, length, first = self.numbers[which].T
        x, last = xy[:, 0], length - 1
        back = before < 0
        with np.errstate(all="ignore"):
            moved = np.where(back | (x < at), (x - first) / before, np.where(x > at, (x - last) / after + last, to))
        return np.stack([np.where(x >= length, x, moved), xy[:, 1]], 1)


class Radial(Map):
    """A lens: a point at distance r from the centre is read at r (1 + k1 r^2 + k2 r^4), r in units of ``focal``.

    Args:
        centre: ``[n, 2]`` (x, y). focal: ``[n, 2]``, pixels that r = 1 stands for. k: ``[n, 2]``.
    """

    kind = "radial"

    def __init__(self, centre, focal, k):
        centre = _checked("centre", centre, (None, 2))
        focal, k = _checked("focal", focal, (len(centre), 2)), _checked("k", k, (len(centre), 2))
        self.numbers = np.concatenate([centre, 1 / focal, k], 1)

    def source(self, which, xy):
        m = self.numbers[which]
        d = xy - m[:, :2]
        r2 = ((d * m[:, 2:4]) ** 2).sum(1, keepdims=True)
        return m[:, :2] + d * (1 + m[:, 4:5] * r2 + m[:, 5:6] * r2 * r2)

    def target(self, which, xy):
        """The smallest s with s (1 + a s^2 + b s^4) = 1, by Newton's method from 0: what lies behind the turn of a lens is
        lost."""
        m = self.numbers[which]
        d = xy - m[:, :2]
        r2 = ((d * m[:, 2:4]) ** 2).sum(1)
        a, b, s = m[:, 4] * r2, m[:, 5] * r2 * r2, np.zeros(len(xy))
        with np.errstate(all="ignore"):
            for _ in range(5 * STEPS):
                rise = 1 + 3 * a * s**2 + 5 * b * s**4
                step = (s * (1 + a * s**2 + b * s**4) - 1) / rise
                s = s - step
                if not np.abs(step).max(initial=0) > 1e-12:
                    break
            found = (np.abs(s * (1 + a * s**2 + b * s**4) - 1) < 1e-9) & (rise > 0) & (s > 0)
        return np.where(found[:, None], m[:, :2] + d * s[:, None], np.nan)


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
        nodes, size = _checked("nodes", nodes, (len(shift), 2)).astype(np.int64), _checked("size", size, (len(shift), 2))
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
        size = _checked("size", size, (len(places), 2)).astype(np.int64)
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
        x = _checked("x", x, (None, None)).astype(np.int64)
        y = _checked("y", y, (len(x), None)).astype(np.int64)
        n, columns, lines = len(x), x.shape[1] - 1, y.shape[1] - 1
        origin = _checked("origin", origin, (n, columns * lines)).astype(np.int64)
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


def header() -> str:
    """kernels/maps.gen.cuh: the numbers of the kinds."""
    return "\n".join(
        [
            "// maps.gen.cuh: made of gpuaug/maps.py by `python kernels/generate.py`; not to be edited.",
            "#pragma once",
            "namespace aug {",
            "",
            "// Where output pixels are read; map.cuh has the formulas.",
            "enum MapKind {",
            *(f"  MAP_{name.upper()} = {number}," for name, number in KINDS.items()),
            "};",
            f"enum {{ MAP_WHOLE = MAP_{WHOLE[0].upper()} }};  // from there on: whole pixels inside of the source",
            "",
            "}  // namespace aug",
            "",
        ]
    )
