"""Flares of the sun."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import shapes
from ..checks import increasing, integer, one_of, whole
from ..hints import IntRange, Range
from ..ragged import Ragged
from ..uniforms import between, integers
from ._taps import gaussian
from .fog import _ByBytes, _Coloured, region


class RandomSunFlare(_Coloured):
    """Draw the sun, and circles along a line through it as lenses make them.

    Args:
        flare_roi: (x_min, y_min, x_max, y_max), where the sun may lie, as fractions of width and height.
        src_radius: the sun's radius, pixels, 2 to 4096.
        src_color: its colour, three numbers 0..255.
        angle_range: range of the line's angle, a fraction of the full circle, in [0, 1].
        num_flare_circles_range: range of the number of circles, at least 1.
        method: ``"overlay"`` mixes discs into the image. ``"physics_based"`` draws the sun, rays and circles, blurs them, each
            channel otherwise, and adds their light as a screen does.
        p: probability, per sample.

    Shapes and dtypes: 3 channels, sides up to 16384; float images (0..1) are rounded to 8 bits, as albumentations does. Rays have
    round ends and are 2 pixels wide. Targets: image. Source: albumentations ``RandomSunFlare``.

    Raises:
        ValueError: a region that is outside 0 .. 1 or empty, a range outside its bounds or out of order, another method; images
            of other channel counts or of larger sides.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> sunny = G.Compose([G.RandomSunFlare(p=1)], seed=0)(np.full((64, 64, 3), 50, np.uint8))
        >>> bool(sunny.mean() > 60)
        True
    """

    ops = (*_ByBytes.ops, "field", "flare", "linear", "permute_layer", "screen", "shapes")
    stencil = True

    def __init__(
        self,
        flare_roi: Sequence[float] = (0, 0, 1, 0.5),
        src_radius: int = 400,
        src_color: Sequence[int] = (255, 255, 255),
        angle_range: Range = (0, 1),
        num_flare_circles_range: IntRange = (6, 10),
        method: str = "overlay",
        p: float = 0.5,
    ):
        super().__init__(p)
        self.flare_roi = region("flare_roi", flare_roi)
        self.src_radius = integer("src_radius", src_radius, 2, 4096)
        if not isinstance(src_color, (tuple, list)) or len(src_color) != 3:
            raise TypeError(f"src_color must be three numbers, got {src_color!r}")
        self.src_color = tuple(integer("src_color", v, 0, 255) for v in src_color)
        self.angle_range = increasing("angle_range", angle_range, 0, 1)
        self.num_flare_circles_range = whole("num_flare_circles_range", num_flare_circles_range, 1, 100)
        self.method = one_of("method", method, ("overlay", "physics_based"))

    def columns(self) -> int:
        return 4 + 6 * self.num_flare_circles_range[1]

    def draw(self, u, view):
        h, w = view.size.astype(np.int64).T
        x0, y0, x1, y1 = self.flare_roi
        angle = 2 * np.pi * between(u[:, 0], *self.angle_range)
        centre = np.stack([(w * between(u[:, 1], x0, x1)).astype(np.int64), (h * between(u[:, 2], y0, y1)).astype(np.int64)], 1)
        circles = u[:, 4:].reshape(len(u), -1, 6)
        step = np.maximum(1, (np.sqrt(h * h + w * w) * 0.01).astype(np.int64))
        places = -(-w // step)  # along the line
        along = (np.floor(circles[..., 1] * places[:, None]) * step[:, None]) - centre[:, :1]
        at = centre[:, None] + along[..., None] * np.stack([np.cos(angle), np.sin(angle)], 1)[:, None]
        radius = integers(circles[..., 2], 1, np.maximum(2, (h * 0.01).astype(np.int64))[:, None])
        top = np.array(self.src_color)
        low = np.maximum(top - int(max(self.src_color) * 0.2), 0)
        return {
            "centre": centre,
            "number": integers(u[:, 3], *self.num_flare_circles_range),
            "alpha": between(circles[..., 0], 0.05, 0.2),
            "at": np.trunc(at).astype(np.int64),
            "radius": radius**3,
            "colour": integers(circles[..., 3:], low, top),
        }

    def lower_bytes(self, to, rows, params) -> None:
        shapes.check_size(to, rows)
        taken = np.arange(params["alpha"].shape[1]) < params["number"][:, None]
        (self._overlay if self.method == "overlay" else self._physics)(to, rows, params, taken)

    def _overlay(self, to, rows, params, taken) -> None:
        radius, alpha, number = params["radius"], params["alpha"], self.src_radius // 10
        brightness = (alpha * radius * taken).sum(1) / (radius * taken).sum(1) * 5
        n = len(radius)
        discs = np.zeros((n, radius.shape[1] + number, 8))
        small, large = discs[:, : radius.shape[1]], discs[:, radius.shape[1] :]
        shades = np.array([1, 256, 65536])
        small[..., :2], small[..., 2], small[..., 3] = params["at"], radius.astype(np.float64) ** 2, alpha
        small[..., 5] = params["colour"] @ shades
        if number:
            steps = np.linspace(0, np.minimum(brightness, 1.0), number)[::-1].T ** 3
            large[..., :2], large[..., 3] = params["centre"][:, None], steps
            large[..., 2] = np.linspace(1, self.src_radius, number).astype(np.int64) ** 2
            large[..., 5] = np.array(self.src_color) @ shades
            large[:, 0, 6] = 1
        discs[..., 4] = 1 - discs[..., 3]
        every = np.concatenate([taken, np.ones((n, number), bool)], 1)
        to.op(rows, "flare", table=Ragged(discs[every], every.sum(1)))

    def _physics(self, to, rows, params, taken) -> None:
        size = to.size[rows].astype(np.int64)
        n, longer, centre = len(size), size.max(1), params["centre"]
        turns = np.radians([0, 45, 90, 135])
        rays = (centre[:, None] + np.stack([np.cos(turns), np.sin(turns)], 1) * longer[:, None, None]).astype(np.int64)
        most = taken.shape[1]
        ends = np.zeros((n, 5 + most, 4), np.int64)
        width, colour = np.empty((n, 5 + most)), np.empty((n, 5 + most), np.int64)
        ends[:, :5, :2], ends[:, 0, 2:], ends[:, 1:5, 2:] = centre[:, None], centre, rays
        ends[:, 5:, :2] = ends[:, 5:, 2:] = params["at"]
        width[:, 0], width[:, 1:5], width[:, 5:] = 2 * self.src_radius, 2, 2 * (params["radius"] ** 0.33).astype(np.int64)
        colour[:, :5] = to.blob(np.float32(self.src_color) / 255)
        colour[:, 5:] = to.blob(np.float32(params["colour"]) / 255) + 3 * np.arange(n * most).reshape(n, most)
        every = np.concatenate([np.ones((n, 5), bool), taken], 1)
        table = shapes.strokes(ends[every], width[every], colour=colour[every])
        image = to.keep(rows)
        with to.working(rows, "float32"):
            to.op(rows, "linear", factor=0.0, offset=0.0, low=0.0, high=1.0)
            to.op(rows, "shapes", whole=False, index=0, strips=0, table=Ragged(table, 2 * every.sum(1)))
            blur(to, rows, 15)
            x, y = centre.T
            to.op(rows, "field", form=1, rounding=0, base=1, slope=-1 / (longer * 0.7), x=x, y=y, scale=0)
            light = to.keep(rows)
            blur(to, rows, 3)
            red = to.keep(rows)
            to.op(rows, "permute_layer", shared=np.arange(3), layers=(light,))
            blur(to, rows, 5)
        to.op(rows, "screen", layers=(image, light, red))


def blur(to, rows, sigma: int) -> None:
    """``cv2.GaussianBlur`` of floats with a kernel of its choice."""
    k = 8 * sigma + 1
    to.filter(rows, "separable", np.float32(np.tile(gaussian(k, sigma), 2)), 0, (k, k))
