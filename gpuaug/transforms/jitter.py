"""Changes of colour, each drawn by itself: factors and shifts of channels, brightness, contrast, saturation and hue."""

from __future__ import annotations

import numpy as np

from ..checks import increasing, is_number, one_of, real, span, whole
from ..hints import Range
from ..transform import Transform
from ..uniforms import between, normal
from .color import linear, need_colour


def by_channel(to, rows, factor: np.ndarray, offset: np.ndarray) -> None:
    """Values times a factor ``[n, channels]``, and an offset, clipped; on bytes both are cut off to whole numbers."""
    shape = (len(factor), to.channels)
    factor, offset = np.broadcast_to(factor, shape), np.broadcast_to(offset, shape)
    if to.is_u8:
        value = np.arange(256, dtype=np.float32)
        table = value * np.float32(factor)[..., None] + np.trunc(offset)[..., None]
        to.op(rows, "curve", table=np.clip(table, 0, 255).astype(np.uint8).view(np.uint32))
    else:
        to.op(rows, "linear_channels", low=0.0, high=1.0, table=np.stack([factor, offset], 1))


class RGBShift(Transform):
    """Add a number to each of red, green and blue.

    Args:
        r_shift_limit, g_shift_limit, b_shift_limit: ranges of the numbers; a number v means (-v, v). Within -1 .. 1 they are
            fractions of the largest value (255, or 1.0), else on a scale of 255.
        p: probability, per sample.

    Shapes and dtypes: 1 to 3 channels (of fewer the first ranges); uint8 is cut off to whole numbers and clipped, float images
    are clipped to 0..1. Targets: image. Source: albumentations ``RGBShift``.

    Raises:
        ValueError: limits beyond 255; images of more channels (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.RGBShift((10, 10), (0, 0), (-20, -20), p=1)
        >>> G.Compose([aug])(np.array([[[100, 100, 100]]], np.uint8)).tolist()
        [[[110, 100, 80]]]
    """

    ops = ("curve", "linear_channels")

    def __init__(
        self, r_shift_limit: Range = (-20, 20), g_shift_limit: Range = (-20, 20), b_shift_limit: Range = (-20, 20), p: float = 0.5
    ):
        super().__init__(p)
        self.r_shift_limit = span("r_shift_limit", r_shift_limit, -255, 255)
        self.g_shift_limit = span("g_shift_limit", g_shift_limit, -255, 255)
        self.b_shift_limit = span("b_shift_limit", b_shift_limit, -255, 255)
        limits = np.array([self.r_shift_limit, self.g_shift_limit, self.b_shift_limit])
        self._limits = np.where(np.abs(limits).max(1, keepdims=True) > 1, limits / 255, limits)

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        return {"shift": between(u, *self._limits.T)}

    def lower(self, to, rows, params) -> None:
        if to.channels > 3:
            raise ValueError(f"RGBShift works on images of 1 to 3 channels, got {to.channels}")
        shift = params["shift"][:, : to.channels] * (255 if to.is_u8 else 1)
        by_channel(to, rows, np.ones((len(shift), 1)), shift)


# red, green and blue of light, every 500 K up to 15000, from 3000 (black body) or 4000 (CIE D) on: Zini et al. 2023,
# "Planckian Jitter"
_WHITE, _STEP, _HOTTEST = 6000, 500, 15000
_LIGHT = {
    "blackbody": [
        [0.6743, 0.4029, 0.0013],
        [0.6281, 0.4241, 0.1665],
        [0.5919, 0.4372, 0.2513],
        [0.5623, 0.4457, 0.3154],
        [0.5376, 0.4515, 0.3672],
        [0.5163, 0.4555, 0.4103],
        [0.4979, 0.4584, 0.4468],
        [0.4816, 0.4604, 0.4782],
        [0.4672, 0.4619, 0.5053],
        [0.4542, 0.4630, 0.5289],
        [0.4426, 0.4638, 0.5497],
        [0.4320, 0.4644, 0.5681],
        [0.4223, 0.4648, 0.5844],
        [0.4135, 0.4651, 0.5990],
        [0.4054, 0.4653, 0.6121],
        [0.3980, 0.4654, 0.6239],
        [0.3911, 0.4655, 0.6346],
        [0.3847, 0.4656, 0.6444],
        [0.3787, 0.4656, 0.6532],
        [0.3732, 0.4656, 0.6613],
        [0.3680, 0.4655, 0.6688],
        [0.3632, 0.4655, 0.6756],
        [0.3586, 0.4655, 0.6820],
        [0.3544, 0.4654, 0.6878],
        [0.3503, 0.4653, 0.6933],
    ],
    "cied": [
        [0.5829, 0.4421, 0.2288],
        [0.5510, 0.4514, 0.2948],
        [0.5246, 0.4576, 0.3488],
        [0.5021, 0.4618, 0.3941],
        [0.4826, 0.4646, 0.4325],
        [0.4654, 0.4667, 0.4654],
        [0.4502, 0.4681, 0.4938],
        [0.4364, 0.4692, 0.5186],
        [0.4240, 0.4700, 0.5403],
        [0.4127, 0.4705, 0.5594],
        [0.4023, 0.4709, 0.5763],
        [0.3928, 0.4713, 0.5914],
        [0.3839, 0.4715, 0.6049],
        [0.3757, 0.4716, 0.6171],
        [0.3681, 0.4717, 0.6281],
        [0.3609, 0.4718, 0.6380],
        [0.3543, 0.4719, 0.6472],
        [0.3480, 0.4719, 0.6555],
        [0.3421, 0.4719, 0.6631],
        [0.3365, 0.4719, 0.6702],
        [0.3313, 0.4719, 0.6766],
        [0.3263, 0.4719, 0.6826],
        [0.3217, 0.4719, 0.6882],
    ],
}


class PlanckianJitter(Transform):
    """Change the colour of the light along that of a glowing body, or of daylight.

    Args:
        mode: ``"blackbody"`` or ``"cied"``.
        temperature_limit: range of the temperature, K, in [3000, 15000], of daylight in [4000, 15000], with 6000 (white) in it;
            None: all of it.
        sampling_method: ``"uniform"``, or ``"gaussian"``, normal around 6000 with the limits at three deviations; below it in 40
            % of the draws.
        p: probability, per sample.

    Shapes and dtypes: 3 channels; red and blue are multiplied; uint8 is cut off to whole numbers, float images are clipped to
    0..1.
    Targets: image. Source: albumentations ``PlanckianJitter``.

    Raises:
        ValueError: another mode or method, limits outside their bounds, out of order or without 6000; images of other channel
            counts (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.PlanckianJitter(temperature_limit=(6000, 6000), p=1)
        >>> G.Compose([aug])(np.array([[[100, 100, 100]]], np.uint8)).tolist()
        [[[108, 100, 97]]]
    """

    ops = ("curve", "linear_channels")

    def __init__(
        self, mode: str = "blackbody", temperature_limit: Range | None = None, sampling_method: str = "uniform", p: float = 0.5
    ):
        super().__init__(p)
        self.mode = one_of("mode", mode, tuple(_LIGHT))
        self._coldest = _HOTTEST - _STEP * (len(_LIGHT[self.mode]) - 1)
        limit = (self._coldest, _HOTTEST) if temperature_limit is None else temperature_limit
        self.temperature_limit = whole("temperature_limit", limit, self._coldest, _HOTTEST)
        if not self.temperature_limit[0] <= _WHITE <= self.temperature_limit[1]:
            raise ValueError(f"temperature_limit must hold {_WHITE}, got {temperature_limit!r}")
        self.sampling_method = one_of("sampling_method", sampling_method, ("uniform", "gaussian"))

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        low, high = self.temperature_limit
        below = u[:, 0] < 0.4
        if self.sampling_method == "uniform":
            temperature = between(u[:, 1], np.where(below, low, _WHITE), np.where(below, _WHITE, high))
        else:
            away = np.abs(normal(u[:, 1])) / 3
            temperature = _WHITE + away * np.where(below, low - _WHITE, high - _WHITE)
        return {"temperature": np.clip(temperature, low, high).astype(np.int64)}

    def lower(self, to, rows, params) -> None:
        if to.channels != 3:
            raise ValueError(f"PlanckianJitter works on images of 3 channels, got {to.channels}")
        light, place = np.array(_LIGHT[self.mode]), params["temperature"] - self._coldest
        at = np.minimum(place // _STEP, len(light) - 1)
        right = (place - _STEP * at)[:, None] / _STEP
        colour = (1 - right) * light[at] + right * light[np.minimum(at + 1, len(light) - 1)]
        factor = colour / colour[:, 1:2]
        by_channel(to, rows, factor, np.zeros((1, 1)))


class ColorJitter(Transform):
    """Change brightness, contrast, saturation and hue, in random order.

    Args:
        brightness, contrast, saturation: ranges of factors, at least 0; a number v means (max(0, 1 - v), 1 + v).
        hue: range of the shift in turns, within -0.5 .. 0.5; a number v means (-v, v).
        p: probability, per sample.

    Shapes and dtypes: 1 or 3 channels (of 1, brightness and contrast alone); uint8 is rounded after each of the four, as
    albumentations does, float images (0..1) are clipped. Contrast is about the mean gray value of the image as it then is.
    Targets: image.
    Source: albumentations ``ColorJitter``, the operations of torchvision's.

    Raises:
        ValueError: a range outside its bounds or out of order; images with other channel counts (at the first batch).

    Example:
        >>> import numpy as np, gpuaug as G
        >>> aug = G.ColorJitter(brightness=(0.5, 0.5), contrast=0, saturation=0, hue=0, p=1)
        >>> G.Compose([aug])(np.array([[[100, 50, 200]]], np.uint8)).tolist()
        [[[50, 25, 100]]]
    """

    ops = ("contrast", "contrast_u8", "hsv", "hsv_u8", "linear", "linear_u8", "saturation")

    def __init__(
        self,
        brightness: Range = (0.8, 1.2),
        contrast: Range = (0.8, 1.2),
        saturation: Range = (0.8, 1.2),
        hue: Range = (-0.5, 0.5),
        p: float = 0.5,
    ):
        super().__init__(p)
        self.brightness = _factors("brightness", brightness)
        self.contrast = _factors("contrast", contrast)
        self.saturation = _factors("saturation", saturation)
        if is_number(hue):
            hue = real("hue", hue, 0, 0.5)
            hue = (-hue, hue)
        self.hue = increasing("hue", hue, -0.5, 0.5)

    def columns(self) -> int:
        return 8

    def draw(self, u, view):
        return {
            "brightness": between(u[:, 0], *self.brightness),
            "contrast": between(u[:, 1], *self.contrast),
            "saturation": between(u[:, 2], *self.saturation),
            "hue": between(u[:, 3], *self.hue),
            "order": np.argsort(u[:, 4:], 1, kind="stable"),
        }

    def lower(self, to, rows, params) -> None:
        need_colour(to)
        index, order = to.index(rows), params["order"]
        steps = (self._brighten, self._contrast, self._saturate, self._turn)
        amounts = [params[name] for name in ("brightness", "contrast", "saturation", "hue")]
        changed = np.stack([amounts[0] != 1, amounts[1] != 1, amounts[2] != 1, amounts[3] != 0], 1)
        if to.channels == 1:
            changed[:, 2:] = False
        for turn in order.T:
            for kind, step in enumerate(steps):
                which = np.flatnonzero((turn == kind) & changed[:, kind])
                if len(which):
                    step(to, index[which], amounts[kind][which])

    @staticmethod
    def _brighten(to, rows, factor) -> None:
        linear(to, rows, factor, 0.0)

    @staticmethod
    def _contrast(to, rows, factor) -> None:
        rest = np.ascontiguousarray(1 - factor).view(np.uint32).reshape(-1, 2)
        luma = to.reduce(rows, "luma")
        to.op(rows, "contrast_u8" if to.is_u8 else "contrast", factor=factor, rest=rest, luma=luma)

    @staticmethod
    def _saturate(to, rows, factor) -> None:
        to.op(rows, "saturation", factor=factor, rest=1 - factor, whole=to.is_u8)

    @staticmethod
    def _turn(to, rows, hue) -> None:
        if to.is_u8:
            to.op(rows, "hsv_u8", hue=np.mod(180 * hue, 180), saturation=0.0, value=0.0)
        else:
            to.op(rows, "hsv", hue=hue, saturation=0.0, value=0.0)


def _factors(name: str, value) -> tuple[float, float]:
    if is_number(value):
        value = real(name, value, 0)
        value = (max(0.0, 1 - value), 1 + value)
    return increasing(name, value, 0)
