"""Oriented boxes: rectangles that are turned about their middle."""

from __future__ import annotations

import numpy as np

from . import reflected
from .label_params import TINY, KeypointParams
from .targets import Boxes, Marks

_HALF = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
_ALL = KeypointParams("xy", remove_invisible=False)  # how corners travel


def corners(values: np.ndarray) -> np.ndarray:
    """``[N, 4, 2]`` of (centre x, y, width, height, angle in radians) ``[N, 5]``, edges of pixels being whole numbers."""
    cos, sin = np.cos(values[:, 4]), np.sin(values[:, 4])
    turn = np.stack([cos, -sin, sin, cos], 1).reshape(-1, 2, 2)
    return values[:, None, :2] + np.einsum("nij,nkj->nki", turn, _HALF * values[:, None, 2:4])


def around(moved: np.ndarray) -> np.ndarray:
    """The rectangles ``[N, 5]`` around moved corners ``[N, 4, 2]``, turned as the upper and the lower side together are."""
    along = moved[:, 1] - moved[:, 0] + moved[:, 2] - moved[:, 3]
    angle = np.arctan2(along[:, 1], along[:, 0])
    cos, sin = np.cos(angle), np.sin(angle)
    frame = np.stack([cos, sin, -sin, cos], 1).reshape(-1, 2, 2)  # x and y of the rectangle's own
    own = np.einsum("nij,nkj->nki", frame, moved)
    low, high = own.min(1), own.max(1)
    centre = np.einsum("nji,nj->ni", frame, (low + high) / 2)
    return np.concatenate([centre, high - low, angle[:, None]], 1)


def inside(polygon: np.ndarray, size) -> float:
    """The area of a convex polygon ``[k, 2]`` in an image of height and width ``size``."""
    for axis, limit, sign in ((0, 0.0, 1), (0, float(size[1]), -1), (1, 0.0, 1), (1, float(size[0]), -1)):
        off, out = sign * (polygon[:, axis] - limit), []
        for k in range(len(polygon)):
            a, b = off[k - 1], off[k]
            if (a > 0) != (b > 0):
                out.append(polygon[k - 1] + (polygon[k] - polygon[k - 1]) * (a / (a - b)))
            if b > 0:
                out.append(polygon[k])
        if len(out) < 3:
            return 0.0
        polygon = np.array(out)
    x, y = polygon.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


class OrientedBoxes(Marks):
    """Oriented boxes on their way: values ``[N, 5]`` are (centre x, y, width, height, angle in radians).

    Attributes:
        left: float64 ``[N]``, the share of each that the cells of a mosaic have left of it, spread evenly over the box.
    """

    name, hook, columns = "bboxes", "boxes", 5

    def __init__(self, *args, **kwargs):
        self.left = np.zeros(0)
        super().__init__(*args, **kwargs)

    def places(self):
        return range(5)

    def read(self, raw, size):
        box = Boxes.read(self, raw[:, :4], size)
        return np.concatenate([(box[:, :2] + box[:, 2:]) / 2, box[:, 2:] - box[:, :2], np.deg2rad(raw[:, 4:5])], 1)

    def write(self, values, size):
        box = np.concatenate([values[:, :2] - values[:, 2:4] / 2, values[:, :2] + values[:, 2:4] / 2], 1)
        return np.concatenate([Boxes.write(self, box, size), np.mod(np.rad2deg(values[:, 4:5]), 360)], 1)

    def check(self, size):
        bad = (self.values[:, 2:4] <= 0).any(1)
        if bad.any() and not self.params.filter_invalid_bboxes:
            i = int(np.flatnonzero(bad)[0])
            raise ValueError(
                f"box {self.origin[i]} of sample {self.sample[i]} has width {self.values[i, 2]:g} and height "
                f"{self.values[i, 3]:g} pixels; both must be above 0 (filter_invalid_bboxes=True drops such boxes)"
            )
        self.left = np.ones(len(bad))
        self.select(~bad)

    def hulls(self) -> np.ndarray:
        """Upright boxes around them, ``[N, 4]``."""
        at = corners(self.values)
        return np.concatenate([at.min(1), at.max(1)], 1)

    def step(self, transform, pos, params, size):
        which = pos[self.sample]
        mine = np.flatnonzero(which >= 0)
        if not len(mine):
            return
        points = np.zeros((4 * len(mine), 4))
        points[:, :2] = corners(self.values[mine]).reshape(-1, 2) - 0.5
        each = np.repeat(mine, 4)
        moved, left = transform.keypoints(params, which[each], points, size[self.sample[each]], _ALL)
        self.values[mine] = around(moved[:, :2].reshape(-1, 4, 2) + 0.5)
        if left is not None:
            keep = np.ones(len(self.values), bool)
            keep[mine] = left.reshape(-1, 4).all(1)
            self.select(keep)

    def take(self, index):
        super().take(index)
        self.left = self.left[index]

    def append(self, other):
        super().append(other)
        self.left = np.concatenate([self.left, other.left])

    def move(self, transform, params, moved, cell, size):
        points = np.zeros((4 * len(moved), 4))
        points[:, :2] = corners(self.values[moved]).reshape(-1, 2) - 0.5
        each = np.repeat(np.arange(len(moved)), 4)
        found, _ = transform.keypoints(params, cell[each], points, size[each], _ALL)
        self.values[moved] = around(found[:, :2].reshape(-1, 4, 2) + 0.5)
        self._canvas = transform.size_after(params, size)

    def clip(self, moved, rect):
        """They stay whole, as at the border of an image; what their rectangles do not show of them is not seen any more."""
        at, size = corners(self.values[moved]), (rect[:, 2:] - rect[:, :2])[:, ::-1]
        shown = np.array([inside(box - low, of) for box, low, of in zip(at, rect[:, None, :2], size)])
        whole = np.array([inside(box, of) for box, of in zip(at, self._canvas)])
        self.left[moved] *= np.divide(shown, whole, out=np.zeros(len(moved)), where=whole > TINY)
        return shown > TINY

    def reflect(self, cells, border, sides):
        self.values[:, :2] = reflected.places(self.values[:, :2], cells, border, sides, self.params.geometry, False)
        self.values[:, 4] = reflected.angles(self.values[:, 4], cells, "pixels")

    def visible(self, size) -> np.ndarray:
        """Pixels of each that lie in images of ``size`` ``[N, 2]``."""
        return np.array([inside(at, of) for at, of in zip(corners(self.values), size)]) * self.left

    def seen(self, size):
        return self.visible(size) > TINY

    def limit(self, size, drop=True, of=None):
        params, full = self.params, self.values[:, 2] * self.values[:, 3]
        seen = self.visible(size[self.sample])
        keep = seen > TINY
        if drop:
            keep &= (seen >= params.min_area - TINY) & (seen >= params.min_visibility * full - TINY)
            keep &= (self.values[:, 2] >= params.min_width - TINY) & (self.values[:, 3] >= params.min_height - TINY)
        self.select(keep if of is None else keep | ~of[self.sample])
