"""imgaug's augmenters of single values."""

from __future__ import annotations

import numpy as np

from ...transform import Transform
from ...uniforms import key, spread
from .augmenter import Augmenter
from .values import Value, chance

_MOST = float(np.finfo(np.float32).max)
_BYTES = np.arange(256, dtype=np.float32)


class _Tone(Augmenter, Transform):
    """One number for each image, or for each of its channels, and what it does to every value."""

    ops = ("curve", "linear_channels")

    def _draws(self, name: str, value, per_channel) -> None:
        self.per_channel = per_channel
        self._value, self._each = Value(name, value), chance("per_channel", per_channel)

    def columns(self) -> int:
        return 4

    def draw(self, u, view):
        value = self._value(u[:, :1])
        each = u[:, 1] < self._each
        if each.any():
            apart = self._value(spread(key(u[:, 2:4]), view.channels))
            value = np.where(each[:, None], apart, value)
        return {"value": value.astype(np.float64)}

    def lower(self, to, rows, params) -> None:
        value = params["value"]
        if to.is_u8:
            table = np.clip(self._bytes(value[..., None]), 0, 255).astype(np.uint8)
            to.op(rows, "curve", table=table.view(np.uint32))
        else:
            shape = (len(value), to.channels)
            factor, offset = (np.broadcast_to(each, shape) for each in self._line(value))
            to.op(rows, "linear_channels", low=-_MOST, high=_MOST, table=np.stack([factor, offset], 1))

    def _bytes(self, value: np.ndarray) -> np.ndarray:
        """What becomes of each byte, ``[.., 256]``; clipped and cut off behind it."""
        raise NotImplementedError

    def _line(self, value: np.ndarray):
        """Factor and offset of floats."""
        raise NotImplementedError


class Add(_Tone):
    """Add a number.

    Args:
        value: it, in the image's unit, rounded for uint8: a number, a tuple (low, high), uniform, or a list to choose from; for
            each image.
        per_channel: whether each channel has its own; a number: for so many of the images.
        seed, name, random_state, deterministic: see `Augmenter`.

    Shapes and dtypes: any; uint8 is clipped, floats are not. Targets: image. Source: imgaug ``Add``.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.Add(-20)(image=np.array([[10, 100]], np.uint8))
        array([[ 0, 80]], dtype=uint8)
    """

    def __init__(self, value=(-20, 20), per_channel=False, seed=None, name=None, random_state=None, deterministic=False):
        super().__init__(1.0)
        self.value = value
        self._draws("value", value, per_channel)
        self._begin(seed, name, random_state, deterministic)

    def _bytes(self, value):
        return _BYTES + np.clip(np.round(value), -255, 255)

    def _line(self, value):
        return 1.0, value


class Multiply(_Tone):
    """Multiply by a number.

    Args:
        mul: it: a number, a tuple (low, high), uniform, or a list to choose from; for each image.
        per_channel, seed, name, random_state, deterministic: see `Add`.

    Shapes and dtypes: any; uint8 is cut off and clipped, floats are neither. Targets: image. Source: imgaug ``Multiply``.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.Multiply(1.5)(image=np.array([[10, 11, 200]], np.uint8))
        array([[ 15,  16, 255]], dtype=uint8)
    """

    def __init__(self, mul=(0.8, 1.2), per_channel=False, seed=None, name=None, random_state=None, deterministic=False):
        super().__init__(1.0)
        self.mul = mul
        self._draws("mul", mul, per_channel)
        self._begin(seed, name, random_state, deterministic)

    def _bytes(self, value):
        return _BYTES * np.float32(value)

    def _line(self, value):
        return value, 0.0


class LinearContrast(_Tone):
    """Stretch values about 127, floats about 0.

    Args:
        alpha: the factor of the distance from the middle: a number, a tuple (low, high), uniform, or a list to choose from; for
            each image.
        per_channel, seed, name, random_state, deterministic: see `Add`.

    Shapes and dtypes: any; uint8 is cut off and clipped, floats are neither. Targets: image. Source: imgaug
    ``LinearContrast``.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.LinearContrast(2.0)(image=np.array([[100, 127, 200]], np.uint8))
        array([[ 73, 127, 255]], dtype=uint8)
    """

    def __init__(self, alpha=(0.6, 1.4), per_channel=False, seed=None, name=None, random_state=None, deterministic=False):
        super().__init__(1.0)
        self.alpha = alpha
        self._draws("alpha", alpha, per_channel)
        self._begin(seed, name, random_state, deterministic)

    def _bytes(self, value):
        return np.float32(127) + np.float32(value) * (_BYTES - 127)

    def _line(self, value):
        return value, 0.0


class GammaContrast(_Tone):
    """Raise values, as fractions of 255, to a power; floats as they are.

    Args:
        gamma: the power, at least 0: a number, a tuple (low, high), uniform, or a list to choose from; for each image.
        per_channel, seed, name, random_state, deterministic: see `Add`.

    Shapes and dtypes: any; uint8 is cut off, of negative floats come NaNs. Targets: image. Source: imgaug ``GammaContrast``.

    Raises:
        ValueError: floats with ``per_channel``, of which there is no operation.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.GammaContrast(2.0)(image=np.array([[0, 51, 255]], np.uint8))
        array([[  0,  10, 255]], dtype=uint8)
    """

    ops = ("curve", "power")

    def __init__(self, gamma=(0.7, 1.7), per_channel=False, seed=None, name=None, random_state=None, deterministic=False):
        super().__init__(1.0)
        self.gamma = gamma
        self._draws("gamma", gamma, per_channel)
        if self._value.numbers.min() < 0:
            raise ValueError(f"gamma must be at least 0, got {gamma!r}")
        self._begin(seed, name, random_state, deterministic)

    def _bytes(self, value):
        return np.linspace(0, 1, 256, dtype=np.float32) ** np.float32(value) * np.float32(255)

    def lower(self, to, rows, params) -> None:
        if to.is_u8:
            super().lower(to, rows, params)
            return
        value = params["value"]
        if (value != value[:, :1]).any():
            raise ValueError("GammaContrast: per_channel is there for uint8; of floats all channels have one power")
        to.op(rows, "power", exponent=value[:, 0])


class AdditiveGaussianNoise(Augmenter, Transform):
    """Add normal noise.

    Args:
        loc: its mean. scale: its standard deviation, at least 0; both in the image's unit, 0 .. 255 for uint8: a number, a tuple
            (low, high), uniform, or a list to choose from; for each image.
        per_channel: whether each channel has its own noise, or all of a pixel the same; a number: for so many of the images.
        seed, name, random_state, deterministic: see `Augmenter`.

    Shapes and dtypes: any; uint8 is rounded and clipped, floats are not clipped. Targets: image. Source: imgaug
    ``AdditiveGaussianNoise``.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> out = iaa.AdditiveGaussianNoise(scale=10, seed=1)(image=np.full((64, 64), 128, np.uint8))
        >>> bool(9.5 < out.std() < 10.5)
        True
    """

    ops = ("gauss", "linear_u8")

    def __init__(self, loc=0, scale=(0, 15), per_channel=False, seed=None, name=None, random_state=None, deterministic=False):
        super().__init__(1.0)
        self.loc, self.scale, self.per_channel = loc, scale, per_channel
        self._loc, self._scale, self._each = Value("loc", loc), Value("scale", scale, 0), chance("per_channel", per_channel)
        self._begin(seed, name, random_state, deterministic)

    def columns(self) -> int:
        return 5

    def draw(self, u, view):
        return {
            "mean": self._loc(u[:, 0]).astype(np.float64),
            "std": self._scale(u[:, 1]).astype(np.float64),
            "alike": u[:, 2] >= self._each,
            "key": key(u[:, 3:5]),
        }

    def lower(self, to, rows, params) -> None:
        how = {"key": params["key"], "width": to.size[rows][:, 1], "alike": params["alike"].astype(np.int32), "whole": False}
        bytes_ = to.is_u8
        with to.working(rows, "float32" if bytes_ else to.dtype):
            to.op(rows, "gauss", **how, sigma=params["std"], mean=params["mean"])
            if bytes_:
                to.op(rows, "linear_u8", factor=1.0, offset=0.5)  # rounds
