"""Rotations about the centre."""

from __future__ import annotations

import numpy as np

from ..checks import boolean, span
from ..hints import Colour, Fill, Range
from ..uniforms import between
from .affine import Affine


def _turns(degrees: np.ndarray) -> np.ndarray:
    """Matrices ``[n, 2, 2]`` that turn counter-clockwise."""
    angle = np.deg2rad(degrees % 360)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos, sin, -sin, cos], 1).reshape(-1, 2, 2)


def _matrices(linear: np.ndarray, shift: np.ndarray) -> np.ndarray:
    out = np.zeros((len(linear), 3, 3))
    out[:, :2, :2], out[:, :2, 2], out[:, 2, 2] = linear, shift, 1
    return out


class Rotate(Affine):
    """Turn about the image's centre by a random angle.

    Args:
        limit: degrees, counter-clockwise: the range that the angle is drawn from; a number v means (-v, v).
        interpolation, mask_interpolation: 0 or 6 nearest (the pixel in which the place lies), 1 or 3 linear, 2 cubic, 4
            Lanczos (of 8 x 8 pixels, for places in steps of 1/32); only resizes tell 0 from 6, and 3, area, from 1.
        border_mode: OpenCV's number: 0 constant, 1 replicate, 2 reflect, 3 wrap, 4 reflect_101.
        rotate_method: how boxes turn: "largest_box" around their corners, "ellipse" around the ellipse that they enclose.
        crop_border: crop to the largest rectangle that shows nothing but the image; its size hangs on the angle.
        fill, fill_mask: constant border, a number (all channels) or one for each channel.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``Rotate``, ``cv2.warpAffine`` of OpenCV 5. A crop has a pixel at least.

    Raises:
        ValueError: another method, interpolation or border.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Rotate((90, 90), p=1)])(np.array([[1, 2], [3, 4]], np.uint8))
        array([[2, 4],
               [1, 3]], dtype=uint8)
    """

    def __init__(
        self,
        limit: Range = (-90, 90),
        interpolation: int = 1,
        border_mode: int = 0,
        rotate_method: str = "largest_box",
        crop_border: bool = False,
        mask_interpolation: int = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
        p: float = 0.5,
    ):
        self.limit = span("limit", limit)
        super().__init__(
            rotate=self.limit,
            interpolation=interpolation,
            mask_interpolation=mask_interpolation,
            rotate_method=rotate_method,
            border_mode=border_mode,
            fill=fill,
            fill_mask=fill_mask,
            p=p,
        )
        self.crop_border = boolean("crop_border", crop_border)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        degrees = between(u[:, 0], *self.limit)
        turn, centre = _turns(degrees), view.size[:, ::-1] / 2 - 0.5
        matrix = _matrices(turn, centre - np.einsum("nij,nj->ni", turn, centre))
        now = view.size
        if self.crop_border:
            low, high = _inside(view.size, degrees)
            matrix[:, :2, 2] -= low
            now = (high - low)[:, ::-1]
        return {"matrix": matrix, "scale": np.ones((len(u), 2)), "rotate": degrees, "output_shape": now}


def _inside(size: np.ndarray, degrees: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest rectangle that the turned image fills: first pixel and the one behind the last, int ``[n, 2]`` (x, y)."""
    h, w = size.T.astype(np.float64)
    angle = np.deg2rad(degrees)
    sin, cos = np.abs(np.sin(angle)), np.abs(np.cos(angle))
    long, short = np.maximum(w, h), np.minimum(w, h)
    # two of its corners touch the longer sides, or all four touch all sides
    half = (short <= 2.0 * sin * cos * long) | (np.abs(sin - cos) < 1e-10)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_sin, by_cos = 0.5 * short / sin, 0.5 * short / cos
        two = cos * cos - sin * sin
        wide = np.where(half, np.where(w >= h, by_sin, by_cos), (w * cos - h * sin) / two)
        tall = np.where(half, np.where(w >= h, by_cos, by_sin), (h * cos - w * sin) / two)
    sides, extent = np.stack([w, h], 1), np.stack([wide, tall], 1)
    low = np.maximum((sides / 2 - extent / 2).astype(np.int64), 0)
    high = np.minimum((sides / 2 + extent / 2).astype(np.int64), sides.astype(np.int64))
    low = np.minimum(low, sides.astype(np.int64) - 1)
    return low, np.maximum(high, low + 1)


class SafeRotate(Affine):
    """Turn about the image's centre by a random angle, and shrink the result so that all of it is shown in the size of the image.

    Args:
        limit: degrees, counter-clockwise: the range that the angle is drawn from; a number v means (-v, v).
        interpolation, mask_interpolation, border_mode, rotate_method, fill, fill_mask: see `Rotate`.
        p: probability, per sample.

    Width and height shrink each by the factor that it needs.

    Shapes and dtypes: any; unchanged. Targets: image, mask, boxes, keypoints.
    Source: albumentations ``SafeRotate``, ``cv2.warpAffine`` of OpenCV 5. Turned by 0 degrees pixels stay where they are:
    albumentations moves images (not boxes) by half a pixel to the right and down.

    Raises:
        ValueError: another method, interpolation or border.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.SafeRotate((45, 45), p=1)])(np.zeros((5, 7, 3), np.uint8)).shape
        (5, 7, 3)
    """

    def __init__(
        self,
        limit: Range = (-90, 90),
        interpolation: int = 1,
        border_mode: int = 0,
        rotate_method: str = "largest_box",
        mask_interpolation: int = 0,
        fill: Fill = 0,
        fill_mask: Colour | None = 0,
        p: float = 0.5,
    ):
        self.limit = span("limit", limit)
        super().__init__(
            rotate=self.limit,
            interpolation=interpolation,
            mask_interpolation=mask_interpolation,
            rotate_method=rotate_method,
            border_mode=border_mode,
            fill=fill,
            fill_mask=fill_mask,
            p=p,
        )

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        degrees = between(u[:, 0], *self.limit)
        turn, sides = _turns(degrees), view.size[:, ::-1].astype(np.float64)
        whole = np.einsum("nij,nj->ni", np.abs(turn), sides).astype(np.int64)  # of the turned image
        scale = sides / whole
        linear = scale[:, :, None] * turn
        shift = sides / 2 - 0.5 - np.einsum("nij,nj->ni", linear, sides / 2 - 0.5)
        return {"matrix": _matrices(linear, shift), "scale": scale, "rotate": degrees, "output_shape": view.size}

    def keypoints(self, params, which, points, size, limits):
        out, left = super().keypoints(params, which, points, size, limits)
        if limits.geometry == "albumentations":  # beside their pixels, as its images are beside its boxes
            out[:, :2] += 0.5
        return out, left
