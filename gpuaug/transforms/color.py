"""Colour."""

from __future__ import annotations

import numpy as np

from ..checks import boolean, span
from ..hints import Range
from ..transform import Transform
from ..uniforms import between


class RandomBrightnessContrast(Transform):
    """Change contrast (a factor) and brightness (an offset).

    Args:
        brightness_limit: range of the offset as a fraction of the largest value (255, or 1.0); a number v means (-v, v).
        contrast_limit: range of the factor minus 1; a number v means (-v, v).
        brightness_by_max: False takes the offset as a fraction of the image's mean instead.
        ensure_safe_range: reduce both so that no value leaves the range.
        p: probability, per sample.

    Shapes and dtypes: any; uint8 truncates and clips to 0..255, float images are clipped to 0..1. Targets: image.
    Source: albumentations ``RandomBrightnessContrast``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.RandomBrightnessContrast(brightness_limit=(0.1, 0.1), contrast_limit=(0, 0), p=1)
        >>> G.Compose([aug])(np.full((1, 2), 100, np.uint8))
        array([[125, 125]], dtype=uint8)
    """

    ops = ("linear", "linear_mean", "linear_u8", "linear_u8_mean")

    def __init__(
        self,
        brightness_limit: Range = (-0.2, 0.2),
        contrast_limit: Range = (-0.2, 0.2),
        brightness_by_max: bool = True,
        ensure_safe_range: bool = False,
        p: float = 0.5,
    ):
        super().__init__(p)
        self.brightness_limit = span("brightness_limit", brightness_limit)
        self.contrast_limit = span("contrast_limit", contrast_limit)
        self.brightness_by_max = boolean("brightness_by_max", brightness_by_max)
        self.ensure_safe_range = boolean("ensure_safe_range", ensure_safe_range)
        if self.ensure_safe_range and not self.brightness_by_max:
            raise ValueError("ensure_safe_range needs brightness_by_max=True: the mean is not known when parameters are drawn")

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        alpha = 1 + between(u[:, 0], *self.contrast_limit)
        beta = between(u[:, 1], *self.brightness_limit)
        if self.ensure_safe_range:
            up = np.clip(beta, 0, 1)
            down = np.minimum(beta, 1)
            safe = np.where(alpha > 0, up, down)
            alpha = np.where(alpha > 0, np.minimum(alpha, 1 - safe), np.maximum(alpha, -safe))
            beta = safe
        return {"alpha": alpha, "beta": beta}

    @property
    def emits(self) -> tuple[str, ...]:
        if type(self).ops is not RandomBrightnessContrast.ops:
            return self.ops
        return ("linear", "linear_u8") if self.brightness_by_max else ("linear_mean", "linear_u8_mean")

    def lower(self, to, rows, params) -> None:
        mean = None if self.brightness_by_max else to.reduce(rows, "moments")
        top = 255.0 if to.is_u8 and mean is None else 1.0
        linear(to, rows, params["alpha"], params["beta"] * top, mean)


class HueSaturationValue(Transform):
    """Shift hue, saturation and value.

    Args:
        hue_shift_limit: range of the hue shift, 180 is a full turn, and what is more goes around again; a number v means
            (-v, v).
        sat_shift_limit, val_shift_limit: ranges of the shifts on a scale of 0..255; a number v means (-v, v).
        p: probability, per sample.

    Shapes and dtypes: 1 or 3 channels; uint8 follows OpenCV's 8-bit HSV to the bit, float images (0..1) stay float, without
    the 8-bit rounding that albumentations puts in between. On one channel only the value is shifted. Targets: image.
    Source: albumentations ``HueSaturationValue``, ``cv2.cvtColor``.

    Raises:
        ValueError: images with other channel counts (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.HueSaturationValue((60, 60), (0, 0), (0, 0), p=1)
        >>> G.Compose([aug])(np.array([[[255, 0, 0]]], np.uint8))
        array([[[  0, 255,   0]]], dtype=uint8)
    """

    ops = ("hsv", "hsv_u8", "linear", "linear_u8")

    def __init__(
        self,
        hue_shift_limit: Range = (-20, 20),
        sat_shift_limit: Range = (-30, 30),
        val_shift_limit: Range = (-20, 20),
        p: float = 0.5,
    ):
        super().__init__(p)
        self.hue_shift_limit = span("hue_shift_limit", hue_shift_limit)
        self.sat_shift_limit = span("sat_shift_limit", sat_shift_limit)
        self.val_shift_limit = span("val_shift_limit", val_shift_limit)

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        return {
            "hue_shift": between(u[:, 0], *self.hue_shift_limit),
            "sat_shift": between(u[:, 1], *self.sat_shift_limit),
            "val_shift": between(u[:, 2], *self.val_shift_limit),
        }

    def lower(self, to, rows, params) -> None:
        need_colour(to)
        hue, sat, val = params["hue_shift"], params["sat_shift"], params["val_shift"]
        if not (hue.any() or sat.any() or val.any()):
            return  # the way to HSV and back is not the identity: without a shift it is not taken
        if to.channels == 1:
            # gray -> RGB -> HSV -> RGB -> gray shifts the value alone
            linear(to, rows, 1, np.trunc(val) if to.is_u8 else val / 255)
        elif to.is_u8:
            to.op(rows, "hsv_u8", hue=np.mod(hue, 180), saturation=np.trunc(sat), value=np.trunc(val))
        else:
            hue = np.where(abs(hue) > 180, np.mod(hue, 180), hue)  # the kernel turns once
            to.op(rows, "hsv", hue=hue / 180, saturation=sat / 255, value=val / 255)


def linear(to, rows, factor, offset, mean=None) -> None:
    """Values times a factor plus an offset (times the mean of moments ``mean``), clipped to 0..255 or 0..1; uint8 truncated."""
    name, more = "linear_u8" if to.is_u8 else "linear", {} if to.is_u8 else {"low": 0.0, "high": 1.0}
    if mean is not None:
        name, more["mean"] = name + "_mean", mean
    to.op(rows, name, factor=factor, offset=offset, **more)


def need_colour(to) -> None:
    """Raise unless images have one or three channels."""
    if to.channels not in (1, 3):
        raise ValueError(f"{to.doing} works on images of 1 or 3 channels, got {to.channels}")
