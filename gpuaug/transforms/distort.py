"""Distortions: what a lens does, grids whose lines move, and elastic sheets."""

from __future__ import annotations

import numpy as np

from .. import maps
from ..ragged import Ragged
from ..transform import boolean, integer, one_of, span
from ..uniforms import between
from ._geometric import Geometric


class _Distortion(Geometric, register=False):
    """What distortions share: the size stays, keypoints are looked up.

    Where a keypoint goes is solved for in the map itself, to 0.05 pixels, whatever the method: albumentations draws a disc of three
    pixels and looks where it appears ("mask"), or inverts the map by its nearest pixels ("direct").
    """

    def __init__(self, interpolation, mask_interpolation, keypoint_remapping_method, border_mode, fill, fill_mask, p):
        super().__init__(interpolation, mask_interpolation, border_mode, fill, fill_mask, p)
        self.keypoint_remapping_method = one_of("keypoint_remapping_method", keypoint_remapping_method, ("direct", "mask"))

    def keypoints(self, params, which, points, size, limits):
        out, left = super().keypoints(params, which, points, size, limits)
        if self.keypoint_remapping_method == "direct":
            out[:, :2] = np.clip(out[:, :2], 0, size[:, ::-1] - 1)
        if limits.geometry == "albumentations":
            out[:, 2:] = points[:, 2:]
        return out, left


class OpticalDistortion(_Distortion):
    """Barrel or pincushion distortion, as a lens makes it.

    Args:
        distort_limit: range of the coefficient k; a number v means (-v, v). Above 0 the image shrinks towards its middle.
        interpolation, mask_interpolation: 0 or 6 nearest, 1 linear, 2 cubic.
        mode: "camera": a point is read at r (1 + k r^2 + k r^4) from the centre, r in widths along x and heights along y;
            "fisheye": at r (1 + k r^2), r in units of half the diagonal.
        keypoint_remapping_method: "mask" drops keypoints that the result does not show, "direct" moves them to its edge.
        p: probability, per sample.
        border_mode: OpenCV's number: 0 constant, 1 replicate, 2 reflect, 3 wrap, 4 reflect_101.
        fill, fill_mask: constant border, a number (all channels) or one for each channel.

    Shapes and dtypes: any; unchanged. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``OpticalDistortion``, ``cv2.initUndistortRectifyMap``, ``cv2.remap`` of OpenCV 5. With k = 0 pixels stay
    where they are, which albumentations' camera moves by half a pixel.

    Raises:
        ValueError: another mode, method, interpolation or border.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.OpticalDistortion(0.3, p=1)], seed=1)(np.zeros((5, 7, 3), np.uint8)).shape
        (5, 7, 3)
    """

    def __init__(
        self,
        distort_limit=(-0.05, 0.05),
        interpolation: int = 1,
        mask_interpolation: int = 0,
        mode: str = "camera",
        keypoint_remapping_method: str = "mask",
        p: float = 0.5,
        border_mode: int = 0,
        fill=0,
        fill_mask=0,
    ):
        super().__init__(interpolation, mask_interpolation, keypoint_remapping_method, border_mode, fill, fill_mask, p)
        self.distort_limit, self.mode = span("distort_limit", distort_limit), one_of("mode", mode, ("camera", "fisheye"))

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {"k": between(u[:, 0], *self.distort_limit)}

    def map(self, params, size):
        k, sides = params["k"], size[:, ::-1].astype(np.float64)
        if self.mode == "camera":
            return maps.Radial((sides - 1) / 2, sides, np.stack([k, k], 1))
        half = np.hypot(*(sides / 2).T)
        return maps.Radial(sides / 2, np.stack([half, half], 1), np.stack([k, np.zeros_like(k)], 1))


class GridDistortion(_Distortion):
    """Cut the image into a grid, and stretch each of its columns and rows by a factor of its own.

    Args:
        num_steps: columns, and rows, of the grid, of whole pixels; what the sides leave over is one more.
        distort_limit: range of the factors minus 1, within [-1, 1]; a number v means (-v, v).
        interpolation, mask_interpolation: 0 or 6 nearest, 1 linear, 2 cubic.
        normalized: scale the factors so that the whole image is in the result, else it may end before the result does.
        keypoint_remapping_method: "mask" drops keypoints that the result does not show, "direct" moves them to its edge.
        p: probability, per sample.
        border_mode: OpenCV's number: 0 constant, 1 replicate, 2 reflect, 3 wrap, 4 reflect_101.
        fill, fill_mask: constant border, a number (all channels) or one for each channel.

    Shapes and dtypes: any; unchanged. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``GridDistortion``, ``cv2.remap`` of OpenCV 5. With factors of 1 pixels stay where they are:
    albumentations shows the last pixel of each column twice.

    Raises:
        ValueError: distort_limit outside [-1, 1]; an image with fewer pixels along a side than ``num_steps`` (at the first batch
            that has one).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.GridDistortion(3, p=1)], seed=1)(np.zeros((5, 7, 3), np.uint8)).shape
        (5, 7, 3)
    """

    def __init__(
        self,
        num_steps: int = 5,
        distort_limit=(-0.3, 0.3),
        interpolation: int = 1,
        normalized: bool = True,
        mask_interpolation: int = 0,
        keypoint_remapping_method: str = "mask",
        p: float = 0.5,
        border_mode: int = 0,
        fill=0,
        fill_mask=0,
    ):
        super().__init__(interpolation, mask_interpolation, keypoint_remapping_method, border_mode, fill, fill_mask, p)
        self.num_steps = integer("num_steps", num_steps, 1, 1000)
        self.distort_limit = span("distort_limit", distort_limit, -1, 1)
        self.normalized = boolean("normalized", normalized)

    def columns(self) -> int:
        return 2 * (self.num_steps + 1)

    def draw(self, u, view):
        short = (view.size < self.num_steps).any(1)
        if short.any():
            i = int(np.flatnonzero(short)[0])
            raise ValueError(
                f"GridDistortion: image {view.sample(i)} of the batch, {tuple(view.size[i].tolist())}, has fewer pixels than "
                f"num_steps={self.num_steps} along a side; lower it, or resize first"
            )
        factor = 1 + between(u, *self.distort_limit)
        return {"x": factor[:, : self.num_steps + 1], "y": factor[:, self.num_steps + 1 :]}

    def map(self, params, size):
        return maps.Grid(self._along(params["x"], size[:, 1]), self._along(params["y"], size[:, 0]))

    def _along(self, factor, side) -> Ragged:
        """Where each pixel of lines of lengths ``side`` is read."""
        cell = side // self.num_steps
        counts = np.stack([cell] * self.num_steps + [side - self.num_steps * cell], 1)
        if self.normalized:
            whole = (factor * counts).sum(1)
            factor = factor * np.divide(side, whole, out=np.ones(len(side)), where=whole > 0)[:, None]
        start = np.cumsum(factor * counts, 1) - factor * counts
        line = np.repeat(np.arange(len(side)), side)
        x = np.arange(len(line)) - np.repeat(np.cumsum(side) - side, side)
        step = np.minimum(x // cell[line], self.num_steps)
        return Ragged(start[line, step] + factor[line, step] * (x - step * cell[line]), side)
