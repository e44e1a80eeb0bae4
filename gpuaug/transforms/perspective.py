"""Projective maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import maps
from ..checks import boolean, span
from ..hints import Colour, Fill
from ..maps import homography
from ..uniforms import between, normal
from ._geometric import Geometric

LEAST = 2  # pixels that the sides of the quadrilateral have
FARTHEST = 0.32  # of a side, which a corner does not reach: the four stay in their order


class Perspective(Geometric):
    """Move the four corners of the image inwards at random, and spread what lies between them over the image.

    Args:
        scale: range of the standard deviation of the corners' distances from the image's, as a fraction of its sides; a number
            v means (0, v). Distances are taken modulo 0.32.
        keep_size: deliver the size that the image has; else that of the quadrilateral.
        fit_output: move and shrink the result so that the whole image is in it.
        interpolation, mask_interpolation: 0 or 6 nearest (the pixel in which the place lies), 1 or 3 linear, 2 cubic, 4
            Lanczos (of 8 x 8 pixels, for places in steps of 1/32); only resizes tell 0 from 6, and 3, area, from 1.
        border_mode: OpenCV's number: 0 constant, 1 replicate, 2 reflect, 3 wrap, 4 reflect_101.
        fill, fill_mask: constant border, a number (all channels) or one for each channel.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``Perspective``, ``cv2.warpPerspective`` of OpenCV 5.

    Raises:
        ValueError: a negative scale, another interpolation or border.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Perspective(p=1)], seed=1)(np.zeros((5, 7, 3), np.uint8)).shape
        (5, 7, 3)
    """

    def __init__(
        self,
        scale: Any = (0.05, 0.1),
        keep_size: bool = True,
        fit_output: bool = False,
        interpolation: int = 1,
        mask_interpolation: int = 0,
        border_mode: int = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
        p: float = 0.5,
    ):
        super().__init__(interpolation, mask_interpolation, border_mode, fill, fill_mask, p)
        self.scale = span("scale", scale, 0, scalar="zero")
        self.keep_size, self.fit_output = boolean("keep_size", keep_size), boolean("fit_output", fit_output)

    def columns(self) -> int:
        return 9  # the deviation, then x and y of four corners

    def draw(self, u, view):
        size = view.size.astype(np.float64)
        deviation = between(u[:, 0], *self.scale)
        away = np.mod(np.abs(normal(u[:, 1:]) * deviation[:, None]), FARTHEST).reshape(-1, 4, 2)
        corner = np.where(_FAR, 1 - away, away) * size[:, None, ::-1]
        corner, longest = _sides(corner.astype(np.float32))  # OpenCV takes them so
        frame = _FAR * size[:, None, ::-1]
        matrix = homography(corner.astype(np.float64), frame)
        if self.fit_output:
            matrix, longest = _fitted(matrix, frame)
        now = size.astype(np.int64) if self.keep_size else longest
        return {"matrix": matrix, "stretch": now[:, ::-1] / longest[:, ::-1], "output_shape": now}

    def size_after(self, params, size):
        return params["output_shape"]

    def map(self, params, size):
        return maps.Projective(params["matrix"] * np.insert(params["stretch"], 2, 1, 1)[:, :, None])

    def boxes(self, params, which, boxes, size, limits):
        if limits.geometry != "albumentations":
            return super().boxes(params, which, boxes, size, limits)
        mapped, line, _ = self._of(params, which, size)  # edges are moved as if they were centres
        corner = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
        moved = mapped.target(np.repeat(line, 4), corner.reshape(-1, 2)).reshape(-1, 4, 2)
        left = np.isfinite(moved).all((1, 2))
        return np.concatenate([moved.min(1), moved.max(1)], 1), None if left.all() else left

    def keypoints(self, params, which, points, size, limits):
        out, left = super().keypoints(params, which, points, size, limits)
        if limits.geometry == "albumentations":  # one angle and one scale for all of the image
            m = params["matrix"][which]
            out[:, 2] = points[:, 2] + np.arctan2(m[:, 1, 0], m[:, 0, 0])
            lines = np.hypot(m[:, [0, 1], 0], m[:, [0, 1], 1]) * np.sign(m[:, [0, 1], [0, 1]])
            out[:, 3] = points[:, 3] * lines.max(1) * params["stretch"][which].max(1)
        return out, left


_FAR = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])  # corners, clockwise from the top left: which are at the far end of x, y


def _sides(corner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners ``[n, 4, 2]`` and the longer of their opposite sides, height and width, whole pixels ``[n, 2]``.

    Corners nearer to each other than `LEAST` pixels are pushed apart, in albumentations' order and by its steps.
    """
    pairs = ((1, 0), (2, 3), (2, 1), (3, 0))  # top, bottom, right, left
    length = np.stack([_distance(corner[:, a], corner[:, b]) for a, b in pairs], 1)
    for i in np.flatnonzero((length < LEAST + 1).any(1)):  # a push may move a side that was long enough
        for k, (a, b) in enumerate(pairs):
            one, other = corner[i, a], corner[i, b]
            length[i, k] = _distance(one[None], other[None])[0]
            if length[i, k] < LEAST:
                step = (LEAST - length[i, k]) / 2
                one[one > other] += step
                other[one > other] -= step
                one[one <= other] -= step
                other[one <= other] += step
                length[i, k] = LEAST
    return corner, np.stack([length[:, 2:].max(1), length[:, :2].max(1)], 1).astype(np.int64)


def _distance(a, b):
    return np.sqrt(((a - b) ** 2).sum(1))


def _fitted(matrix, frame):
    """Matrices moved so that the whole frame is in the output, and the outputs' heights and widths."""
    moved = maps.projected(np.repeat(matrix, 4, 0), frame.reshape(-1, 2)).reshape(-1, 4, 2)
    moved -= moved.min(1, keepdims=True)
    whole = np.rint(moved)
    (ax, ay), (bx, by) = ((np.roll(whole, turn, 1) - whole).transpose(2, 0, 1) for turn in (1, -1))
    thin = (ax * by == ay * bx).any(1)  # of images of one or two pixels: rounding leaves three corners on a line
    return homography(frame, np.where(thin[:, None, None], moved, whole)), np.maximum(whole.max(1)[:, ::-1], 1).astype(np.int64)
