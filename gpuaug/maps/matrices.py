"""Maps that are matrices."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..geometry import affine_boxes, affine_points
from .base import Map, checked, one_of

_LAST = np.array([0.0, 0, 1])  # the last row of an affine matrix
_LAST_BYTES, _LAST_COLUMNS = _LAST.tobytes(), np.array([6, 7, 8])
_RESIZES = {0: ("resize", "nearest"), 1: ("affine", "linear"), 2: ("affine", "cubic"), 6: ("pixels", "nearest")}


class Projective(Map):
    """By 3x3 matrices.

    Args:
        matrix: ``[n, 3, 3]``, from source to output, as ``cv2.warpPerspective`` takes it.
        forward: False: from output to source.
    """

    kind = "projective"

    def __init__(self, matrix, *, forward: bool = True):
        self.matrix, self.forward = checked("matrix", matrix, (None, 3, 3)), forward
        self.numbers = self.matrix.reshape(-1, 9)
        self.affine = _is_affine(self.numbers)

    def check(self, kind, size) -> None:
        """Nothing: it is checked when it is made."""

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
        if matrix.shape[1:] == (2, 3):
            matrix = np.concatenate([matrix, np.broadcast_to([[[0.0, 0, 1]]], (len(matrix), 1, 3))], 1)
        elif matrix.ndim != 3 or matrix.shape[1:] != (3, 3):
            checked("matrix", matrix, (None, 3, 3))
        self.matrix, self.forward, self.affine, self.numbers = matrix, forward, True, matrix.reshape(-1, 9)
        if not _is_affine(self.numbers):
            i = int(np.flatnonzero((self.numbers[:, 6:] != _LAST).any(1))[0])
            raise ValueError(f"matrix {i} is projective: it ends in {self.numbers[i, 6:].tolist()}, affine ones in (0, 0, 1)")


def _is_affine(numbers) -> bool:
    last = numbers.take(_LAST_COLUMNS, 1)
    # of 128 matrices the first is told in 1 us, the second in 5
    return last.tobytes() == _LAST_BYTES * len(last) or bool((last == _LAST).all())


class Window(Affine):
    """A window that starts at ``start`` ``[n, 2]`` (x, y), may begin and end outside, and is enlarged by ``scale``, which the
    whole of pixels scales with: their edges, not their centres."""

    def __init__(self, start, scale=None):
        self.offset = checked("start", start, (None, 2))
        self.scale = np.ones_like(self.offset) if scale is None else checked("scale", scale, (len(self.offset), 2))
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
        self._before, self.after, self.factors = np.asarray(before), after, factors
        if self._before.ndim != 2 or self._before.shape[1] != 2:
            raise ValueError(f"before must be [n, 2], not {list(self._before.shape)}")
        self.numbers, self.forward, self.affine = None, False, True  # the library makes the matrices

    @property
    def n(self):
        return len(self._before)

    @cached_property
    def before(self):
        return np.asarray(self._before, np.float64)

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
        return one_of(_RESIZES, interpolation)


def homography(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Matrices ``[n, 3, 3]`` that take four points ``[n, 4, 2]`` (x, y) to four others, no three of either on a line."""
    x, y = source[..., 0], source[..., 1]
    zero, one = np.zeros_like(x), np.ones_like(x)
    rows = [
        np.stack([x, y, one, zero, zero, zero, -x * target[..., 0], -y * target[..., 0]], 2),
        np.stack([zero, zero, zero, x, y, one, -x * target[..., 1], -y * target[..., 1]], 2),
    ]
    right = np.concatenate([target[..., 0], target[..., 1]], 1)
    found = np.linalg.solve(np.concatenate(rows, 1), right[..., None])[..., 0]
    return np.concatenate([found, np.ones((len(found), 1))], 1).reshape(-1, 3, 3)
