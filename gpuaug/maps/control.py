"""Maps of control points: formulas whose places kernels read in a table."""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
import torch

from .base import FOUND, Map, checked
from .matrices import homography, projected

KEPT = 1 << 22  # weights of one size that are kept between calls: 32 MB


class _Everywhere(Map):
    """A formula that the kernels read as a table of the places of all pixels.

    Args:
        size: ``[n, 2]``, heights and widths of the results.
    """

    kind = "field"

    def __init__(self, size):
        size = checked("size", size, (None, 2)).astype(np.int64)
        self.cells, self.numbers = size[:, ::-1].copy(), np.zeros((len(size), 1))
        counts = size.prod(1)
        self.start = 2 * (np.cumsum(counts) - counts)

    def fill(self, i: int, size: tuple[int, int], out: np.ndarray) -> None:
        """Write the places of sample i's pixels, ``[h * w, 2]``."""
        raise NotImplementedError

    @cached_property
    def table(self):
        out = np.empty((int(self.cells.prod(1).sum()), 2), np.float32)
        for i, ((w, h), start) in enumerate(zip(self.cells.tolist(), (self.start // 2).tolist())):
            self.fill(i, (h, w), out[start : start + h * w])
        return out.reshape(-1)


class Moved(_Everywhere):
    """Another map, whose places are moved.

    Args:
        by: the other `Map`. offset: ``[n, 2]`` (x, y), pixels. size: ``[n, 2]``.
    """

    def __init__(self, by: Map, offset, size):
        super().__init__(size)
        self.by, self.offset = by, checked("offset", offset, (len(self.cells), 2))

    def source(self, which, xy):
        return self.by.source(which, xy) + self.offset[which]

    def target(self, which, xy):
        return self.by.target(which, xy - self.offset[which])

    def fill(self, i, size, out):
        out[:] = self.source(np.full(len(out), i), _pixels(*size))


def _pixels(h: int, w: int) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(w, dtype=np.float64), np.arange(h, dtype=np.float64)), 2).reshape(-1, 2)


def thin_plate(xy: np.ndarray, control: np.ndarray) -> np.ndarray:
    """``[N, k + 3]``: albumentations' kernel of the distances from places ``[N, 2]`` to control points ``[k, 2]``, 1, and the
    place."""
    square = ((xy[:, None] - control) ** 2).sum(2)
    return np.concatenate([square * np.log(square + 1e-6), np.ones((len(xy), 1)), xy], 1)


def _times(weights: np.ndarray, of_pixels: torch.Tensor, out: np.ndarray) -> None:
    """``[h * w, 2]`` of weights ``[k, 2]`` and what is known of all pixels ``[k, h * w]``: the other way round, a product of two
    columns takes five times as long."""
    torch.from_numpy(out).copy_(torch.mm(torch.from_numpy(np.ascontiguousarray(weights.T)), of_pixels).T)


@lru_cache(4)
def _plate(h: int, w: int, control: bytes) -> torch.Tensor:
    known = thin_plate(_pixels(h, w) / (w, h), np.frombuffer(control).reshape(-1, 2))
    return torch.from_numpy(np.ascontiguousarray(known.T))


class ThinPlate(_Everywhere):
    """A sum of r^2 log(r^2) around control points, and an affine map; in units of the image's sides.

    Args:
        control: ``[k, 2]`` (x, y). weights: ``[n, k + 3, 2]``: of each point's kernel, then of 1, x and y. size: ``[n, 2]``.
    """

    def __init__(self, control, weights, size):
        super().__init__(size)
        self.control = checked("control", control, (None, 2))
        self.weights = checked("weights", weights, (len(self.cells), len(self.control) + 3, 2))

    def source(self, which, xy):
        sides = self.cells[which]
        return np.einsum("nk,nki->ni", thin_plate(xy / sides, self.control), self.weights[which]) * sides

    def fill(self, i, size, out):
        h, w = size
        known = _plate if h * w * self.weights.shape[1] <= KEPT else _plate.__wrapped__
        _times(self.weights[i] * (w, h), known(h, w, self.control.tobytes()), out)


def near(xy: np.ndarray, control: np.ndarray) -> np.ndarray:
    """``[N, k]``: weights that add up to 1 and fall with the square of the distance to control points ``[k, 2]``."""
    weight = 1 / (((xy[:, None] - control) ** 2).sum(2) + 1e-8)
    return weight / weight.sum(1, keepdims=True)


def lattice(h: int, w: int, lines: int, columns: int) -> np.ndarray:
    """Points from corner to corner of the pixels of an image, ``[lines * columns, 2]`` (x, y), line by line."""
    x, y = np.meshgrid(np.linspace(0, w - 1, columns), np.linspace(0, h - 1, lines))
    return np.stack([x, y], 2).reshape(-1, 2)


@lru_cache(4)
def _near(h: int, w: int, lines: int, columns: int) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(near(_pixels(h, w), lattice(h, w, lines, columns)).T))


class Shepard(_Everywhere):
    """Means of the targets of a lattice's points, weighted by the squares of the distances from them, kept within the image.

    Args:
        grid: int ``[n, 2]``, lines and columns of the lattice. targets: a list of n, ``[lines * columns, 2]`` (x, y) in pixels,
            or None for a sample that stays as it is. size: ``[n, 2]``.
    """

    stride = 0.5  # it is flat around its points

    def __init__(self, grid, targets: list, size):
        super().__init__(size)
        self.grid, self.targets = checked("grid", grid, (len(self.cells), 2)).astype(np.int64), targets

    def source(self, which, xy):
        out = np.array(xy, np.float64)
        for i in np.unique(which).tolist():
            if self.targets[i] is not None:
                mine, (w, h) = which == i, self.cells[i].tolist()
                place = near(out[mine], lattice(h, w, *self.grid[i].tolist())) @ self.targets[i]
                out[mine] = np.clip(place, 0, (w - 1, h - 1))
        return out

    def guess(self, which, xy):
        """The pixel whose place is nearest: the map is flat around its own points, and moves others far."""
        out = np.array(xy, np.float64)
        for i in np.unique(which).tolist():
            if self.targets[i] is None:
                continue
            mine, (w, h) = np.flatnonzero(which == i), self.cells[i].tolist()
            seen = np.empty((h * w, 2))
            self.fill(i, (h, w), seen)
            for some in np.array_split(mine, -(-len(mine) // 64)):
                best = ((seen - out[some][:, None]) ** 2).sum(2).argmin(1)
                out[some] = np.stack([best % w, best // w], 1)
        return out

    def target(self, which, xy):
        found = super().target(which, xy)
        lost = np.flatnonzero(~np.isfinite(found).all(1))
        if len(lost):  # where it is flat, Newton's steps lead away from what is near enough
            start = self.guess(which[lost], xy[lost])
            close = np.abs(self.source(which[lost], start) - xy[lost]).max(1) < FOUND
            found[lost[close]] = start[close]
        return found

    def fill(self, i, size, out):
        h, w = size
        if self.targets[i] is None:
            out[:] = _pixels(h, w)
            return
        lines, columns = self.grid[i].tolist()
        known = _near if h * w * lines * columns <= KEPT else _near.__wrapped__
        _times(self.targets[i], known(h, w, lines, columns), out)
        np.clip(out, 0, (w - 1, h - 1), out=out)


NOWHERE = -1e6  # a place that no image reaches


class Cells(_Everywhere):
    """Rectangles, whose corners move to make quadrilaterals, each by a projective map of its own.

    Args:
        x, y: ``[n, c + 1]``, ``[n, r + 1]``: where the rectangles start and, at last, end. nodes: ``[n, r + 1, c + 1, 2]``: where
            their corners go. Where quadrilaterals overlap the later one is shown, row by row; where there is none, or a folded
            one, nothing.
        size: ``[n, 2]``.
    """

    def __init__(self, x, y, nodes, size):
        super().__init__(size)
        self.x, self.y = checked("x", x, (len(self.cells), None)), checked("y", y, (len(self.cells), None))
        self.nodes = checked("nodes", nodes, (len(self.cells), self.y.shape[1], self.x.shape[1], 2))

    def _quads(self, corners: np.ndarray) -> np.ndarray:
        """Corners ``[r + 1, c + 1, 2]`` as quadrilaterals ``[r * c, 4, 2]``, clockwise from the top left."""
        parts = (corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1])
        return np.stack(parts, 2).reshape(-1, 4, 2)

    def _of(self, i: int):
        """Sample i's rectangles with an area, their quadrilaterals, and the matrices from those to these: of NaN where one is
        folded."""
        before = self._quads(np.stack(np.meshgrid(self.x[i], self.y[i]), 2))
        after = self._quads(self.nodes[i])
        there = (np.diff(before[:, ::2], axis=1)[:, 0] > 0).all(1)
        before, after = before[there], after[there]
        side = np.roll(after, -1, 1) - after
        bend = side[..., 0] * np.roll(side, -1, 1)[..., 1] - side[..., 1] * np.roll(side, -1, 1)[..., 0]
        convex = (bend > 0).all(1)
        matrix = np.full((len(before), 3, 3), np.nan)
        first = before[convex, :1]
        shift = np.tile(np.eye(3), (len(first), 1, 1))
        shift[:, :2, 2] = -first[:, 0]  # a corner goes somewhere, the image's first pixel may go to infinity
        matrix[convex] = homography(before[convex] - first, after[convex]) @ shift
        return before, after, matrix

    def _shown(self, i: int):
        """Sample i's quadrilaterals that are not folded, and the matrices from those to their rectangles."""
        _, after, matrix = self._of(i)
        whole = np.isfinite(matrix).all((1, 2))
        return zip(after[whole], np.linalg.inv(matrix[whole]))

    def source(self, which, xy):
        out = np.full_like(xy, NOWHERE, np.float64)
        for i in np.unique(which).tolist():
            mine = np.flatnonzero(which == i)
            for quad, back in self._shown(i):
                inside, place = _through(quad, back, *xy[mine].T)
                out[mine[inside]] = place[inside]
        return out

    def target(self, which, xy):
        out = np.empty_like(xy, np.float64)
        for i in np.unique(which).tolist():
            mine = np.flatnonzero(which == i)
            before, _, matrix = self._of(i)
            point = xy[mine][:, None]
            # a point beyond the sides belongs to the nearest rectangle
            lack = np.maximum(np.maximum(before[:, 0] - point, point - before[:, 2]), 0).sum(2)
            inside = (point >= before[:, 0]) & (point < before[:, 2])
            cell = np.where(inside.all(2).any(1), inside.all(2).argmax(1), lack.argmin(1))
            out[mine] = projected(matrix[cell], xy[mine])
        return out

    def jacobian(self, which, xy, step=1e-3):
        """Of the one rectangle that a point comes from, also beside a side of it."""
        home = self.source(which, xy)
        lost = home[:, 0] == NOWHERE
        home[lost] = xy[lost]
        ahead = [(self.target(which, home + d) - self.target(which, home - d)) / (2 * step) for d in step * np.eye(2)]
        return np.linalg.pinv(np.nan_to_num(np.stack(ahead, 2)))  # a neighbour that is folded goes nowhere

    def fill(self, i, size, out):
        h, w = size
        out[:] = NOWHERE
        lines = out.reshape(h, w, 2)
        for quad, back in self._shown(i):
            x0, y0 = np.clip(np.floor(quad.min(0)), 0, (w, h)).astype(int).tolist()
            x1, y1 = np.clip(np.ceil(quad.max(0)) + 1, 0, (w, h)).astype(int).tolist()
            inside, place = _through(
                quad, back, np.arange(x0, x1, dtype=np.float64), np.arange(y0, y1, dtype=np.float64)[:, None]
            )
            np.copyto(lines[y0:y1, x0:x1], place, casting="same_kind", where=inside[..., None])


def _through(quad: np.ndarray, matrix: np.ndarray, x: np.ndarray, y: np.ndarray):
    """Which places lie in a quadrilateral, and where a matrix takes them; x and y of any shapes that go together."""
    inside = True
    for (ax, ay), (bx, by) in zip(quad.tolist(), np.roll(quad, -1, 0).tolist()):
        inside = inside & ((bx - ax) * (y - ay) - (by - ay) * (x - ax) >= -1e-6)  # a side, and what rounding leaves of it
    (a, b, c), (d, e, f), (p, q, r) = matrix.tolist()
    with np.errstate(all="ignore"):
        over = 1 / ((p * x + r) + q * y)
        return inside, np.stack([((a * x + c) + b * y) * over, ((d * x + f) + e * y) * over], -1)
