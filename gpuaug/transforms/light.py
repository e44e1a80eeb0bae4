"""Light: brightness that depends on the place, and shadows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import shapes
from ..checks import increasing, integer, one_of, real, whole
from ..hints import IntRange, Range
from ..ragged import Ragged
from ..transform import Transform
from ..uniforms import between, integers

_SLOPE, _DISTANCE, _BELL = 0, 1, 2  # FieldOp.form
_REAL, _TRUNCATED, _ROUNDED = 0, 1, 2  # FieldOp.rounding


class Illumination(Transform):
    """Brighten or darken by a pattern: along a direction, from a corner, or around a point.

    Args:
        mode: ``"linear"``, ``"corner"`` or ``"gaussian"``.
        intensity_range: range of the largest change of brightness, as a fraction, in [0.01, 0.2].
        effect_type: ``"brighten"``, ``"darken"`` or ``"both"``, one of the two for each image.
        angle_range: of "linear": direction, degrees, in [0, 360].
        center_range: of "gaussian": the centre's column and line as a fraction of width and height, in [0, 1].
        sigma_range: of "gaussian": its standard deviation as a fraction of the longer side, in [0.2, 1].
        p: probability, per sample.

    Shapes and dtypes: any; uint8 is rounded ("linear") or truncated, as the reference, and clipped to 0..255; float images are
    clipped to 0..1. Targets: image. Source: albumentations ``Illumination``.

    Raises:
        ValueError: a range outside its bounds or out of order, another mode or effect_type.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.Illumination(intensity_range=(0.2, 0.2), effect_type="brighten", angle_range=(0, 0), p=1)
        >>> G.Compose([aug])(np.full((1, 3), 100, np.uint8)).tolist()
        [[80, 100, 120]]
    """

    ops = ("field",)

    def __init__(
        self,
        mode: str = "linear",
        intensity_range: Range = (0.01, 0.2),
        effect_type: str = "both",
        angle_range: Range = (0, 360),
        center_range: Range = (0.1, 0.9),
        sigma_range: Range = (0.2, 1.0),
        p: float = 0.5,
    ):
        super().__init__(p)
        self.mode = one_of("mode", mode, ("linear", "corner", "gaussian"))
        self.intensity_range = increasing("intensity_range", intensity_range, 0.01, 0.2)
        self.effect_type = one_of("effect_type", effect_type, ("brighten", "darken", "both"))
        self.angle_range = increasing("angle_range", angle_range, 0, 360)
        self.center_range = increasing("center_range", center_range, 0, 1)
        self.sigma_range = increasing("sigma_range", sigma_range, 0.2, 1)

    def columns(self) -> int:
        return 5

    def draw(self, u, view):
        intensity = between(u[:, 0], *self.intensity_range)
        sign = {"brighten": 1, "darken": -1, "both": np.where(u[:, 1] > 0.5, 1, -1)}[self.effect_type]
        params = {"intensity": intensity * sign}
        if self.mode == "linear":
            return params | {"angle": between(u[:, 2], *self.angle_range)}
        if self.mode == "corner":
            return params | {"corner": integers(u[:, 2], 0, 3)}
        centre = between(u[:, 2:4], *self.center_range)
        return params | {"center": centre, "sigma": between(u[:, 4], *self.sigma_range)}

    def lower(self, to, rows, params) -> None:
        h, w = to.size[rows].T
        intensity, rounding = params["intensity"], _TRUNCATED
        if self.mode == "linear":
            rounding, form = _ROUNDED, {"form": _SLOPE, "slope": 0, "scale": 0}
            base, x, y = _gradient(params["angle"], h, w)
            base, x, y = (np.where(intensity < 0, a, b) for a, b in ((1 - base, base), (-x, x), (-y, y)))
            twice = 2 * np.abs(intensity)
            form |= {"base": base * twice + (1 - twice / 2), "x": x * twice, "y": y * twice}
        elif self.mode == "corner":
            x, y = np.isin(params["corner"], (1, 2)) * (w - 1), np.isin(params["corner"], (2, 3)) * (h - 1)
            form = {"form": _DISTANCE, "base": 1, "slope": -intensity / np.hypot(h, w), "x": x, "y": y, "scale": 0}
        else:
            x, y = params["center"].T * (w, h)
            scale = -np.log2(np.e) / (2 * (np.maximum(h, w) * params["sigma"]) ** 2)
            form = {"form": _BELL, "base": 1, "slope": intensity, "x": x, "y": y, "scale": scale}
        to.op(rows, "field", rounding=rounding if to.is_u8 else _REAL, **form)


def _gradient(angle: np.ndarray, h: np.ndarray, w: np.ndarray):
    """albumentations' directional gradient as base + x * column + y * line. Multiples of 45 degrees are another formula there:
    they run over 0..1."""
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    across, down = 1 / np.maximum(w - 1, 1), 1 / np.maximum(h - 1, 1)
    base, x, y = np.zeros(len(angle)), cos * across, sin * down
    for turn in range(0, 360, 45):
        at = angle == turn
        if at.any():
            cx, cy = np.rint(np.cos(np.deg2rad(turn))), np.rint(np.sin(np.deg2rad(turn)))
            # an axis of one pixel is nowhere: what it would add, and its part of the range, are taken off
            parts = abs(cx) * (w[at] > 1) + abs(cy) * (h[at] > 1) if cx and cy else np.ones(at.sum())
            size = 1 / np.maximum(parts, 1)
            back = (
                1.0 * (cx < 0) * (w[at] > 1) + 1.0 * (cy < 0) * (h[at] > 1)
                if cx and cy
                else np.full(at.sum(), float(min(cx, cy) < 0))
            )
            base[at], x[at], y[at] = back * size, cx * across[at] * size, cy * down[at] * size
    return base, x, y


class RandomShadow(Transform):
    """Darken polygons with random corners.

    Args:
        shadow_roi: (x_min, y_min, x_max, y_max), where the corners may lie, as fractions of width and height.
        num_shadows_limit: range of their number, at least 1.
        shadow_dimension: how many corners each has, 3 to 64.
        shadow_intensity_range: range of what a shadow takes of the brightness, in [0, 1].
        p: probability, per sample.

    Shapes and dtypes: any, sides up to 16384; polygons are those of ``cv2.fillPoly``, to the pixel; uint8 is truncated after each
    shadow. Targets: image. Source: albumentations ``RandomShadow``.

    Raises:
        ValueError: a range outside its bounds or out of order; images in which the region holds no pixel, or of larger sides.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> shaded = G.Compose([G.RandomShadow(p=1)], seed=0)(np.full((32, 32), 200, np.uint8))
        >>> sorted({int(v) for v in shaded.ravel()} - {50})
        [100, 200]
    """

    ops = ("shapes",)

    def __init__(
        self,
        shadow_roi: Sequence[float] = (0, 0.5, 1, 1),
        num_shadows_limit: IntRange = (1, 2),
        shadow_dimension: int = 5,
        shadow_intensity_range: Range = (0.5, 0.5),
        p: float = 0.5,
    ):
        super().__init__(p)
        if not isinstance(shadow_roi, (tuple, list)) or len(shadow_roi) != 4:
            raise TypeError(f"shadow_roi must be (x_min, y_min, x_max, y_max), got {shadow_roi!r}")
        self.shadow_roi = tuple(real("shadow_roi", v, 0, 1) for v in shadow_roi)
        if self.shadow_roi[0] > self.shadow_roi[2] or self.shadow_roi[1] > self.shadow_roi[3]:
            raise ValueError(f"shadow_roi must be (x_min, y_min, x_max, y_max) with min <= max, got {shadow_roi!r}")
        self.num_shadows_limit = whole("num_shadows_limit", num_shadows_limit, 1, 64)
        self.shadow_dimension = integer("shadow_dimension", shadow_dimension, 3, 64)
        self.shadow_intensity_range = increasing("shadow_intensity_range", shadow_intensity_range, 0, 1)

    def columns(self) -> int:
        return 1 + self.num_shadows_limit[1] * (1 + 2 * self.shadow_dimension)

    def draw(self, u, view):
        most, corners = self.num_shadows_limit[1], self.shadow_dimension
        h, w = view.size.T[:, :, None, None]
        x0, y0, x1, y1 = (np.floor(v * side).astype(np.int64) for v, side in zip(self.shadow_roi, (w, h, w, h)))
        bad = np.flatnonzero(((x1 <= x0) | (y1 <= y0)).ravel())
        if len(bad):
            raise ValueError(
                f"RandomShadow: shadow_roi {self.shadow_roi} holds no pixel of sample {view.sample(int(bad[0]))} of height and "
                f"width {view.size[bad[0]].tolist()}"
            )
        at = 1 + most * 2 * corners
        x, y = u[:, 1:at].reshape(len(u), most, 2, corners).transpose(2, 0, 1, 3)
        return {
            "number": integers(u[:, 0], *self.num_shadows_limit),
            "vertices": np.stack([integers(x, x0, x1 - 1), integers(y, y0, y1 - 1)], -1),
            "intensity": between(u[:, at:], *self.shadow_intensity_range),
        }

    def lower(self, to, rows, params) -> None:
        vertices, number = params["vertices"], params["number"]
        taken = np.arange(vertices.shape[1]) < number[:, None]
        shapes.check_size(to, rows)
        table = shapes.polygons(vertices[taken], alpha=1 - params["intensity"][taken], blend="times")
        to.op(rows, "shapes", whole=to.is_u8, index=0, strips=0, table=Ragged(table, number * (1 + self.shadow_dimension)))
