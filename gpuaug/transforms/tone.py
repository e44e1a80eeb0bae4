"""Tone: functions of single values, on uint8 a table of 256 bytes (docs/kernels.md, "A pixel operation")."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import boolean, increasing, is_number, real, span, whole
from ..hints import Range
from ..transform import Transform
from ..uniforms import between, integers, key, normal, spread


class InvertImg(Transform):
    """The negative: the largest value (255, or 1.0) minus each.

    Args:
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image. Source: albumentations ``InvertImg``.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.InvertImg(p=1)])(np.array([[0, 100]], np.uint8))
        array([[255, 155]], dtype=uint8)
    """

    ops = ("invert",)

    def lower(self, to, rows, params) -> None:
        to.op(rows, "invert", top=255 if to.is_u8 else 1)


class Solarize(Transform):
    """Invert values from a threshold on.

    Args:
        threshold_range: range of the threshold, a fraction of the largest value (255, or 1.0), within 0 .. 1.
        p: probability, per sample.

    Shapes and dtypes: any. Targets: image. Source: albumentations ``Solarize``.

    Raises:
        ValueError: a threshold outside 0 .. 1, or a range that falls.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Solarize(p=1)])(np.array([[127, 128, 255]], np.uint8))
        array([[127, 127,   0]], dtype=uint8)
    """

    ops = ("solarize",)

    def __init__(self, threshold_range: Range = (0.5, 0.5), p: float = 0.5):
        super().__init__(p)
        self.threshold_range = increasing("threshold_range", threshold_range, 0, 1)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {"threshold": between(u[:, 0], *self.threshold_range)}

    def lower(self, to, rows, params) -> None:
        top = 255 if to.is_u8 else 1
        threshold = params["threshold"] * top
        # the first whole number that is not below it: in float32 the threshold itself may be rounded past it
        to.op(rows, "solarize", threshold=np.ceil(threshold) if to.is_u8 else threshold, top=top)


class RandomGamma(Transform):
    """Raise values, as fractions of the largest one, to a power.

    Args:
        gamma_limit: range of the power in percent: above 100 darkens. A number v means (1, v).
        p: probability, per sample.

    Shapes and dtypes: any; uint8 is truncated, of negative floats come NaNs. Targets: image.
    Source: albumentations ``RandomGamma``.

    Raises:
        ValueError: a limit below 1.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.RandomGamma((200, 200), p=1)])(np.array([[0, 51, 255]], np.uint8))
        array([[  0,  10, 255]], dtype=uint8)
    """

    ops = ("curve", "power")

    def __init__(self, gamma_limit: Range = (80, 120), p: float = 0.5):
        super().__init__(p)
        self.gamma_limit = span("gamma_limit", (1, gamma_limit) if is_number(gamma_limit) else gamma_limit, 1)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {"gamma": between(u[:, 0], *self.gamma_limit) / 100}

    def lower(self, to, rows, params) -> None:
        gamma = params["gamma"]
        if not to.is_u8:
            to.op(rows, "power", exponent=gamma)
            return
        table = (np.arange(0, 256.0 / 255, 1.0 / 255) ** gamma[:, None]) * 255  # in float64, as the reference
        to.op(rows, "curve", table=table.astype(np.uint8).view(np.uint32)[:, None])


class Posterize(Transform):
    """Keep the highest bits of each value.

    Args:
        num_bits: how many, 0 (nothing is left) .. 8 (all are): a number, a range (low, high), or a list of those, one for each
            channel; two numbers are a range, in a tuple or a list, as in albumentations.
        p: probability, per sample.

    Shapes and dtypes: any; floats (0..1) are rounded to 8 bits first. Targets: image. Source: albumentations ``Posterize``.

    Raises:
        ValueError: bits outside 0 .. 8; images of another number of channels than the list is for.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Posterize(2, p=1)])(np.array([[63, 64, 255]], np.uint8))
        array([[  0,  64, 192]], dtype=uint8)
    """

    ops = ("posterize",)

    def __init__(self, num_bits: Any = 4, p: float = 0.5):
        super().__init__(p)
        listed = isinstance(num_bits, (list, tuple)) and not (len(num_bits) == 2 and all(map(is_number, num_bits)))
        ranges = [whole("num_bits", each, 0, 8) for each in (num_bits if listed else [num_bits])]
        self.num_bits = ranges if listed else ranges[0]
        self._ranges = np.array(ranges).reshape(-1, 2)

    def columns(self) -> int:
        return len(self._ranges)

    def draw(self, u, view):
        return {"num_bits": integers(u, *self._ranges.T)}

    def lower(self, to, rows, params) -> None:
        bits = params["num_bits"]
        if bits.shape[1] not in (1, to.channels):
            raise ValueError(f"{to.doing}: num_bits is for {bits.shape[1]} channels, images have {to.channels}")
        steps = np.broadcast_to(np.float32(2) ** (8 - bits), (len(bits), to.channels))
        to.op(rows, "posterize", table=steps, top=255 if to.is_u8 else 1)


class RandomToneCurve(Transform):
    """Bend the tones: a cubic curve from black to white whose two inner points move up and down.

    Args:
        scale: standard deviation of their height, in [0, 1]; they lie at 0.25 and 0.75 without.
        per_channel: a curve for each channel.
        p: probability, per sample.

    Shapes and dtypes: any; uint8 is rounded; float images (0..1) stay float, without the 8-bit rounding that albumentations puts
    in between. Targets: image. Source: albumentations ``RandomToneCurve``.

    Raises:
        ValueError: a scale outside 0 .. 1.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.RandomToneCurve(scale=0, p=1)])(np.array([[0, 64, 128, 255]], np.uint8))
        array([[  0,  58, 128, 255]], dtype=uint8)
    """

    ops = ("bezier", "curve")

    def __init__(self, scale: float = 0.1, per_channel: bool = False, p: float = 0.5):
        super().__init__(p)
        self.scale = real("scale", scale, 0, 1)
        self.per_channel = boolean("per_channel", per_channel)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        count = view.channels if self.per_channel else 1
        heights = normal(spread(key(u), 2 * count)).reshape(-1, 2, count)
        return {"heights": np.clip(np.array([[0.25], [0.75]]) + self.scale * heights, 0, 1)}

    def lower(self, to, rows, params) -> None:
        heights = params["heights"]
        if not to.is_u8:
            to.op(rows, "bezier", table=np.broadcast_to(heights, (*heights.shape[:2], to.channels)))
            return
        t, (low, high) = np.linspace(0, 1, 256), heights[..., None].swapaxes(0, 1)
        rest = 1 - t
        curve = 3 * rest**2 * t * low + 3 * rest * t**2 * high + t**3
        to.op(rows, "curve", table=np.clip(np.rint(curve * 255), 0, 255).astype(np.uint8).view(np.uint32))
