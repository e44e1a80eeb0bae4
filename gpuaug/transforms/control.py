"""Distortions by points that move: PiecewiseAffine, ThinPlateSpline."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import maps
from ..checks import boolean, increasing, integer, span, whole
from ..hints import Colour, Fill, IntRange, Range, Size
from ..maps.control import lattice
from ..ragged import Ragged
from ..uniforms import between, integers, key, normal, ragged
from .distort import _Distortion
from .shuffle import _edges, _shares

MOST = 64  # control points along a side: their weights for all pixels fill 50 MB for 224 x 224 then


class PiecewiseAffine(_Distortion):
    """Move the points of a lattice at random, and every pixel by means of what the points show, weighted by the squares of the
    distances from them.

    Args:
        scale: range of three times the standard deviation of the points' moves, as a fraction of the shorter side, at least 0; a
            number v means (0, v).
        nb_rows, nb_cols: points down and across, at least 2: a number, or a range (low, high) inclusive.
        interpolation, mask_interpolation: 0 or 6 nearest, 1 linear, 2 cubic, 4 Lanczos.
        absolute_scale: scale is in pixels.
        keypoint_remapping_method: "mask" drops keypoints that the result does not show, "direct" moves them to its edge.
        p: probability, per sample.
        border_mode, fill, fill_mask: as in `ElasticTransform`; no place lies outside of the image.

    Around each point the image is flat, since a mean hangs on all points; between them it is moved far, with small scales, too.
    With a scale of 0 the image stays as it is.

    Shapes and dtypes: any; unchanged. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``PiecewiseAffine``, ``cv2.remap`` of OpenCV 5.

    Raises:
        ValueError: a negative scale; less than 2 rows or columns; another method, interpolation or border.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.PiecewiseAffine(p=1)], seed=1)(np.zeros((50, 70, 3), np.uint8)).shape
        (50, 70, 3)
    """

    def __init__(
        self,
        scale: Any = (0.03, 0.05),
        nb_rows: IntRange = (4, 4),
        nb_cols: IntRange = (4, 4),
        interpolation: int = 1,
        mask_interpolation: int = 0,
        absolute_scale: bool = False,
        keypoint_remapping_method: str = "mask",
        p: float = 0.5,
        border_mode: int = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
    ):
        super().__init__(interpolation, mask_interpolation, keypoint_remapping_method, border_mode, fill, fill_mask, p)
        self.scale = span("scale", scale, 0, scalar="zero")
        self.nb_rows, self.nb_cols = whole("nb_rows", nb_rows, 2, MOST), whole("nb_cols", nb_cols, 2, MOST)
        self.absolute_scale = boolean("absolute_scale", absolute_scale)

    def columns(self) -> int:
        return 5  # rows, columns, scale, a key

    def draw(self, u, view):
        grid = np.stack([integers(u[:, 0], *self.nb_rows), integers(u[:, 1], *self.nb_cols)], 1)
        noise = ragged(key(u[:, 3:5]), 2 * grid.prod(1))
        scale = between(u[:, 2], *self.scale)
        return {"grid": grid, "scale": scale, "noise": Ragged(normal(noise.values), noise.counts)}

    def map(self, params, size):
        targets = []
        for i, ((h, w), (lines, columns)) in enumerate(zip(size.tolist(), params["grid"].tolist())):
            scale = float(params["scale"][i])
            if scale == 0:
                targets.append(None)
                continue
            move = params["noise"].of(i).reshape(-1, 2)[:, ::-1] * (scale / 3 * (1 if self.absolute_scale else min(w, h)))
            targets.append(np.clip(lattice(h, w, lines, columns) + move, 0, (w - 1, h - 1)))
        return maps.Shepard(params["grid"], targets, size)


class ThinPlateSpline(_Distortion):
    """Move a few points of the image at random, and what lies between them as a thin metal plate would bend.

    Args:
        scale_range: range of ten times the standard deviation of the points' moves, as a fraction of width and height, within
            [0, 1].
        num_control_points: so many rows and columns of points, at least 2; 2 are the corners and the middle.
        interpolation, mask_interpolation: 0 or 6 nearest, 1 linear, 2 cubic, 4 Lanczos.
        keypoint_remapping_method: "mask" drops keypoints that the result does not show, "direct" moves them to its edge.
        p: probability, per sample.
        border_mode: OpenCV's number: 0 constant, 1 replicate, 2 reflect, 3 wrap, 4 reflect_101.
        fill, fill_mask: constant border, a number (all channels) or one for each channel.

    Shapes and dtypes: any; unchanged. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``ThinPlateSpline``, in float64, ``cv2.remap`` of OpenCV 5. As there the plate does not go through the
    moved points: its weights are solved for with r^4 log r^2, and used with r^2 log r^2.

    Raises:
        ValueError: a scale outside [0, 1]; less than 2 points; another method, interpolation or border.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.ThinPlateSpline(p=1)], seed=1)(np.zeros((50, 70, 3), np.uint8)).shape
        (50, 70, 3)
    """

    def __init__(
        self,
        scale_range: Range = (0.2, 0.4),
        num_control_points: int = 4,
        interpolation: int = 1,
        mask_interpolation: int = 0,
        keypoint_remapping_method: str = "mask",
        p: float = 0.5,
        border_mode: int = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
    ):
        super().__init__(interpolation, mask_interpolation, keypoint_remapping_method, border_mode, fill, fill_mask, p)
        self.scale_range = increasing("scale_range", scale_range, 0, 1)
        self.num_control_points = integer("num_control_points", num_control_points, 2, MOST // 4)
        side = np.linspace(0, 1, self.num_control_points)
        points = np.stack(np.meshgrid(side, side), 2).reshape(-1, 2)
        if self.num_control_points == 2:
            points = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [0.5, 0.5]])
        self._points = points
        square = ((points[:, None] - points) ** 2).sum(2)
        k = len(points)
        system = np.zeros((k + 3, k + 3))
        system[:k, :k] = square**2 * np.log(square + 1e-6)
        system[:k, k], system[k, :k] = 1, 1
        system[:k, k + 1 :], system[k + 1 :, :k] = points, points.T
        self._solve = np.linalg.inv(system)[:, :k]

    def columns(self) -> int:
        return 1 + 2 * len(self._points)

    def draw(self, u, view):
        scale = between(u[:, 0], *self.scale_range) / 10
        move = scale[:, None, None] * normal(u[:, 1:]).reshape(len(u), -1, 2)
        return {"weights": np.einsum("jk,nki->nji", self._solve, self._points + move)}

    def map(self, params, size):
        return maps.ThinPlate(self._points, params["weights"], size)


class GridElasticDeform(_Distortion):
    """Cut the image into a grid, move the points where its lines meet at random, and bend each cell to its new corners.

    Args:
        num_grid_xy: columns and rows of the grid, each at least 1. Their sides differ by a pixel where the image's cannot be
            shared out evenly; which are larger is drawn.
        magnitude: the most that a point moves along x and along y, whole pixels, at least 1. Points at the sides stay.
        interpolation, mask_interpolation: 0 or 6 nearest, 1 linear, 2 cubic, 4 Lanczos.
        p: probability, per sample.

    A cell that is folded, by points that move beyond each other, shows nothing. Keypoints that leave the image are moved to its
    edge. Images with fewer pixels than cells along a side stay as they are.

    Shapes and dtypes: any; unchanged. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``GridElasticDeform``, ``cv2.warpPerspective`` of OpenCV 5. Pixels on the line between two cells may be
    read by the one or the other; of a grid that is not square albumentations confuses rows and columns.

    Raises:
        ValueError: less than 1 column or row, or more than 4,000 cells; a magnitude below 1; another interpolation.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.GridElasticDeform((4, 4), 5)], seed=1)(np.zeros((50, 70, 3), np.uint8)).shape
        (50, 70, 3)
    """

    def __init__(self, num_grid_xy: Size, magnitude: int, interpolation: int = 1, mask_interpolation: int = 0, p: float = 1.0):
        super().__init__(interpolation, mask_interpolation, "direct", 0, 0, 0, p)
        if not isinstance(num_grid_xy, (tuple, list)) or len(num_grid_xy) != 2:
            raise TypeError(f"num_grid_xy must be (columns, rows), two whole numbers of at least 1, got {num_grid_xy!r}")
        self.num_grid_xy = tuple(integer("num_grid_xy", n, 1) for n in num_grid_xy)
        if self.num_grid_xy[0] * self.num_grid_xy[1] > 4000:
            raise ValueError(f"num_grid_xy must have at most 4000 cells, got {num_grid_xy!r}")
        self.magnitude = integer("magnitude", magnitude, 1)

    def columns(self) -> int:
        across, down = self.num_grid_xy
        return across + down + 2 * (across - 1) * (down - 1)

    def draw(self, u, view):
        across, down = self.num_grid_xy
        y, x = _edges(_shares(view.size[:, 0], u[:, :down])), _edges(_shares(view.size[:, 1], u[:, down : down + across]))
        nodes = np.stack([np.broadcast_arrays(x[i], y[i][:, None]) for i in range(len(u))]).transpose(0, 2, 3, 1)
        nodes = nodes.astype(np.float64)
        move = integers(u[:, down + across :], -self.magnitude, self.magnitude).reshape(len(u), down - 1, across - 1, 2)
        fits = (view.size >= (down, across)).all(1)
        nodes[:, 1:-1, 1:-1] += move * fits[:, None, None, None]
        return {"x": x, "y": y, "nodes": nodes}

    def map(self, params, size):
        return maps.Cells(params["x"], params["y"], params["nodes"], size)
