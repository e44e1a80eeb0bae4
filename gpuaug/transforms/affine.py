"""Affine maps."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

from .. import library, maps
from ..checks import boolean, real, span
from ..hints import Colour, Fill, PerAxis, Range
from ._geometric import Geometric


def _axes(name: str, value, default: float, whole: bool = False) -> dict[str, tuple[float, float]]:
    """{"x": range, "y": range} from a number, a range, or a dict with one or both keys."""

    def bounds(v):
        for one in v if isinstance(v, (tuple, list)) else (v,):
            if whole and isinstance(one, numbers.Real) and math.isfinite(one) and int(one) != one:
                raise ValueError(f"{name} must be whole pixels, got {v!r}")
        return span(name, v, scalar="fixed")

    if isinstance(value, dict):
        if not value or set(value) - {"x", "y"}:
            raise ValueError(f"{name} as a dict needs the keys 'x', 'y' or both, got {sorted(value)!r}")
        return {axis: bounds(value.get(axis, default)) for axis in "xy"}
    return {"x": bounds(value), "y": bounds(value)}


class Affine(Geometric):
    """Scale, rotate, shear and move, about the image's centre, in one interpolation.

    Args:
        scale: factor, a range of factors, or ``{"x": .., "y": ..}``; x and y are drawn independently unless ``keep_ratio``.
        translate_percent: fraction of width and height (number, range or dict), truncated to whole pixels.
        translate_px: whole pixels (number, range or dict); only one of the two may be given.
        rotate: degrees, counter-clockwise; a number is fixed, a range is drawn from.
        shear: degrees (number, range or dict); a missing axis is not sheared.
        interpolation, mask_interpolation: 0 or 6 nearest (the pixel in which the place lies), 1 or 3 linear, 2 cubic, 4
            Lanczos (of 8 x 8 pixels, for places in steps of 1/32); only resizes tell 0 from 6, and 3, area, from 1.
        fit_output: enlarge or shrink the result so that the whole image is in it.
        keep_ratio: one factor for x and y.
        rotate_method: how boxes turn: "largest_box" or "ellipse".
        balanced_scale: draw below and above 1 with equal probability.
        border_mode: OpenCV's number: 0 constant, 1 replicate, 2 reflect, 3 wrap, 4 reflect_101.
        fill, fill_mask: constant border, a number (all channels) or one for each channel.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``Affine``, ``cv2.warpAffine`` of OpenCV 5.

    Raises:
        ValueError: both translations, a scale of 0, another interpolation or border.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Affine(translate_px={"x": 1}, p=1)])(np.array([[1, 2, 3]], np.uint8))
        array([[0, 1, 2]], dtype=uint8)
    """

    def __init__(
        self,
        scale: Any = (1.0, 1.0),
        translate_percent: PerAxis | None = None,
        translate_px: PerAxis | None = None,
        rotate: Range = 0.0,
        shear: PerAxis = (0.0, 0.0),
        interpolation: int = 1,
        mask_interpolation: int = 0,
        fit_output: bool = False,
        keep_ratio: bool = False,
        rotate_method: str = "largest_box",
        balanced_scale: bool = False,
        border_mode: int = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
        p: float = 0.5,
    ):
        super().__init__(interpolation, mask_interpolation, border_mode, fill, fill_mask, p)
        if translate_percent is not None and translate_px is not None:
            raise ValueError("give translate_percent or translate_px, not both")
        if translate_percent is None and translate_px is None:
            translate_px = 0
        self.scale = _axes("scale", scale, 1.0)
        for low, _ in self.scale.values():
            real("scale", low, 0, above=True)
        self.translate_percent = None if translate_percent is None else _axes("translate_percent", translate_percent, 0.0)
        self.translate_px = None if translate_px is None else _axes("translate_px", translate_px, 0, whole=True)
        self.rotate = span("rotate", rotate, scalar="fixed")
        self.shear = _axes("shear", shear, 0.0)
        for low, high in self.shear.values():
            if low <= -90 or high >= 90:
                raise ValueError(f"shear must lie between -90 and 90 degrees, got {shear!r}")
        self.fit_output, self.keep_ratio = boolean("fit_output", fit_output), boolean("keep_ratio", keep_ratio)
        if self.keep_ratio and self.scale["x"] != self.scale["y"]:
            raise ValueError(f"with keep_ratio the scale ranges of x and y must be equal, got {self.scale}")
        if rotate_method not in ("largest_box", "ellipse"):
            raise ValueError(f"rotate_method must be 'largest_box' or 'ellipse', got {rotate_method!r}")
        self.rotate_method, self.balanced_scale = rotate_method, boolean("balanced_scale", balanced_scale)

    repeats_labels = True

    def columns(self) -> int:
        return 9

    def draw(self, u, view):
        n = len(u)
        # AffineRanges of kernels/host/draws.cpp
        move = self.translate_px or self.translate_percent or {"x": (0, 0), "y": (0, 0)}
        mode = 1 if self.translate_px else 2 if self.translate_percent else 0
        ranges = np.array(
            [
                mode,
                *move["x"],
                *move["y"],
                *self.shear["x"],
                *self.shear["y"],
                *self.scale["x"],
                *self.scale["y"],
                *self.rotate,
                self.keep_ratio,
                self.balanced_scale,
            ],
            np.float64,
        )
        params = {"matrix": np.empty((n, 3, 3)), "scale": np.empty((n, 2)), "rotate": np.empty(n)}
        library.load().affine(u, view.size, ranges, params["matrix"], params["scale"], params["rotate"])
        params["output_shape"] = view.size
        if self.fit_output:
            params["matrix"], params["output_shape"] = _fitted(params["matrix"], view.size)
        return params

    def size_after(self, params, size):
        return params["output_shape"]

    def map(self, params, size):
        return maps.Affine(params["matrix"])

    def boxes(self, params, which, boxes, size, limits):
        if self.rotate_method == "largest_box":
            return super().boxes(params, which, boxes, size, limits)
        matrix = params["matrix"][which]
        # the box around the moved ellipse that the box encloses: half extents by the lengths of the matrix' rows
        centre = np.stack([boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]], 1) / 2 - 0.5
        half = np.stack([boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]], 1) / 2
        middle = np.einsum("nij,nj->ni", matrix[:, :2, :2], centre) + matrix[:, :2, 2] + 0.5
        reach = np.sqrt(((matrix[:, :2, :2] * half[:, None]) ** 2).sum(2))
        return np.concatenate([middle - reach, middle + reach], 1), None

    def keypoints(self, params, which, points, size, limits):
        out, left = super().keypoints(params, which, points, size, limits)
        out[:, 3] = points[:, 3] * params["scale"][which].max(1)
        if limits.geometry == "albumentations":  # turned the other way, and not by shear or unequal scales
            matrix = params["matrix"][which]
            out[:, 2] = points[:, 2] + np.arctan2(-matrix[:, 1, 0], matrix[:, 0, 0])
        return out, left


def _fitted(matrix, size):
    """Matrices moved so that the whole image is in the output, and the outputs' sizes."""
    h, w = size[:, 0:1].astype(np.float64), size[:, 1:2].astype(np.float64)
    zero = np.zeros_like(w)
    x, y = np.concatenate([zero, w, w, zero], 1), np.concatenate([zero, zero, h, h], 1)
    moved = np.stack([matrix[:, i, 0:1] * x + matrix[:, i, 1:2] * y + matrix[:, i, 2:3] for i in (0, 1)], 2)
    low, high = np.floor(moved.min(1)), np.ceil(moved.max(1))
    matrix = matrix.copy()
    matrix[:, 0, 2] -= low[:, 0]
    matrix[:, 1, 2] -= low[:, 1]
    return matrix, (high - low + 1)[:, ::-1].astype(np.int64)


class ShiftScaleRotate(Affine):
    """Move, scale and rotate: `Affine` under older names.

    Args:
        shift_limit: fraction of width and height; a number v means (-v, v).
        scale_limit: factor minus 1; a number v means factors in (1 - v, 1 + v), x and y drawn independently.
        rotate_limit: degrees; a number v means (-v, v).
        interpolation, mask_interpolation, border_mode, rotate_method, fill, fill_mask: see `Affine`.
        shift_limit_x, shift_limit_y: instead of ``shift_limit``, for one axis.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints. Source: albumentations ``ShiftScaleRotate``.

    Raises:
        ValueError: a shift outside [-1, 1], a scale_limit of -1 or below.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.ShiftScaleRotate(p=1)], seed=1)(np.zeros((5, 7, 3), np.uint8)).shape
        (5, 7, 3)
    """

    def __init__(
        self,
        shift_limit: Range = (-0.0625, 0.0625),
        scale_limit: Range = (-0.1, 0.1),
        rotate_limit: Range = (-45, 45),
        interpolation: int = 1,
        border_mode: int = 0,
        shift_limit_x: Range | None = None,
        shift_limit_y: Range | None = None,
        rotate_method: str = "largest_box",
        mask_interpolation: int = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
        p: float = 0.5,
    ):
        self.shift_limit_x = span("shift_limit_x", shift_limit if shift_limit_x is None else shift_limit_x, -1, 1)
        self.shift_limit_y = span("shift_limit_y", shift_limit if shift_limit_y is None else shift_limit_y, -1, 1)
        self.scale_limit, self.rotate_limit = span("scale_limit", scale_limit), span("rotate_limit", rotate_limit)
        real("scale_limit", self.scale_limit[0], -1, above=True)
        super().__init__(
            scale=(1 + self.scale_limit[0], 1 + self.scale_limit[1]),
            rotate=self.rotate_limit,
            shear=(0, 0),
            translate_percent={"x": self.shift_limit_x, "y": self.shift_limit_y},
            interpolation=interpolation,
            mask_interpolation=mask_interpolation,
            rotate_method=rotate_method,
            border_mode=border_mode,
            fill=fill,
            fill_mask=fill_mask,
            p=p,
        )
