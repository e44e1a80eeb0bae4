"""Blurs."""

from __future__ import annotations

import warnings

import numpy as np

from .. import library
from ..checks import WIDEST, boolean, increasing, is_number, whole
from ..hints import IntRange, Range
from ..transform import Transform
from ..uniforms import between, integers
from ._taps import bytes_gaussian, gaussian


def _odd_limit(value) -> tuple[int, int]:
    """Kernel sizes as an odd range of at least 3; a number n means (3, n)."""
    low, high = whole("blur_limit", (3, value) if is_number(value) and value >= 3 else value, 0, WIDEST)
    fixed = tuple(max(3, v + 1 - v % 2) for v in (low, high))
    if fixed != (low, high):
        warnings.warn(
            f"blur_limit must hold odd sizes of at least 3; {(low, high)} is taken as {fixed}", UserWarning, stacklevel=4
        )
    return fixed


class _Sized(Transform):
    """A blur whose kernel size is an odd number drawn from a range."""

    stencil = True

    def __init__(self, blur_limit: IntRange, p: float):
        super().__init__(p)
        self.blur_limit = _odd_limit(blur_limit)

    def _size(self, u):
        low, high = self.blur_limit
        return low + 2 * integers(u, 0, (high - low) // 2)


class Blur(_Sized):
    """Mean over a square.

    Args:
        blur_limit: range of the square's side, odd, at least 3; a number n means (3, n).
        p: probability, per sample.

    Shapes and dtypes: any; borders reflect (101); uint8 is rounded. Targets: image.
    Source: albumentations ``Blur``, ``cv2.blur``.

    Raises:
        ValueError: a range whose ends are out of order.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Blur((3, 3), p=1)])(np.array([[0, 9, 0]], np.uint8))
        array([[6, 3, 6]], dtype=uint8)
    """

    def __init__(self, blur_limit: IntRange = (3, 7), p: float = 0.5):
        super().__init__(blur_limit, p)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {"kernel": self._size(u[:, 0])}

    def lower(self, to, rows, params) -> None:
        k = params["kernel"]
        ones = np.ones(2 * self.blur_limit[1], np.float32)  # the weights of all sizes
        lengths = np.empty((len(k), 2), np.int64)
        lengths[:] = k[:, None]
        to.filter(rows, "separable", ones, 0, lengths, scale=1.0 / (k * k))


class GaussianBlur(Transform):
    """Gaussian blur.

    Args:
        blur_limit: range of the kernel size, pixels; 0 derives it from sigma (``2 * int(3.5 sigma) + 1``), even sizes grow by
            one, a number n means (0, n).
        sigma_limit: range of sigma, pixels; a number v means (0, v). 0 derives it from the kernel size, as OpenCV does,
            ``0.3 * ((size - 1) / 2 - 1) + 0.8``; where that is 0, too, the image stays as it is.
        p: probability, per sample.

    Shapes and dtypes: any; borders reflect (101); uint8 is rounded. Targets: image.
    Source: albumentations ``GaussianBlur`` (sampled, normalized weights; ``cv2.sepFilter2D``).

    Raises:
        ValueError: a negative sigma, a range whose ends are out of order.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.GaussianBlur(sigma_limit=(1, 1), p=1)])(np.full((3, 3), 7, np.uint8)).tolist()
        [[7, 7, 7], [7, 7, 7], [7, 7, 7]]
    """

    stencil = True
    _by_size = False  # is sigma derived from the kernel's size?

    def __init__(self, blur_limit: IntRange = 0, sigma_limit: Range = (0.5, 3.0), p: float = 0.5):
        super().__init__(p)
        self.blur_limit = whole("blur_limit", blur_limit, 0, WIDEST, scalar="zero")
        sigmas = (0, sigma_limit) if is_number(sigma_limit) else sigma_limit
        self.sigma_limit = increasing("sigma_limit", sigmas, 0, 1000)
        self._by_size = self.sigma_limit[1] == 0

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        return {"sigma": between(u[:, 0], *self.sigma_limit), "ksize": integers(u[:, 1], *self.blur_limit)}

    def lower(self, to, rows, params) -> None:
        n = len(params["sigma"])
        if self._by_size:
            sizes = params["ksize"] | 1  # of 0, too: one weight
            weigh = bytes_gaussian if to.is_u8 else gaussian
            taps = {k: np.float32(np.tile(weigh(k, 0), 2)) for k in set(sizes.tolist())}
            start = np.concatenate([[0], np.cumsum(2 * sizes)[:-1]])
            to.filter(rows, "separable", np.concatenate([taps[k] for k in sizes.tolist()]), start, np.stack([sizes, sizes], 1))
            return
        start, lengths = np.empty(n, np.int64), np.empty((n, 2), np.int64)
        taps = library.load().gaussian(params["sigma"], params["ksize"], start, lengths)
        to.filter(rows, "separable", np.frombuffer(taps, np.float32), start, lengths)


class MotionBlur(_Sized):
    """Mean along a line through each pixel.

    Args:
        blur_limit: range of the line's length, pixels, odd, at least 3; a number n means (3, n).
        allow_shifted: move the line off the pixel's centre at random.
        angle_range: degrees, in [0, 360].
        direction_range: -1 trails backward only, 0 is symmetric, 1 forward only.
        p: probability, per sample.

    Shapes and dtypes: any; borders reflect (101); uint8 is rounded. Targets: image.
    Source: albumentations ``MotionBlur``, ``cv2.filter2D``.

    Raises:
        ValueError: a range outside its bounds or out of order.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.MotionBlur(p=1)])(np.full((3, 3), 7, np.uint8)).tolist()
        [[7, 7, 7], [7, 7, 7], [7, 7, 7]]
    """

    def __init__(
        self,
        blur_limit: IntRange = (3, 7),
        allow_shifted: bool = True,
        angle_range: Range = (0, 360),
        direction_range: Range = (-1.0, 1.0),
        p: float = 0.5,
    ):
        super().__init__(blur_limit, p)
        self.allow_shifted = boolean("allow_shifted", allow_shifted)
        self.angle_range = increasing("angle_range", angle_range, 0, 360)
        self.direction_range = increasing("direction_range", direction_range, -1, 1)

    def columns(self) -> int:
        return 5

    def draw(self, u, view):
        shift = between(u[:, 3:5], -1.0, 1.0) if self.allow_shifted else np.zeros((len(u), 2))
        return {
            "ksize": self._size(u[:, 0]),
            "angle": between(u[:, 1], *self.angle_range),
            "direction": between(u[:, 2], *self.direction_range),
            "shift": shift,
        }

    def lower(self, to, rows, params) -> None:
        n = len(params["ksize"])
        start, lengths = np.empty(n, np.int64), np.empty((n, 3), np.int64)
        taps = library.load().motion(params["ksize"], params["angle"], params["direction"], params["shift"], start, lengths)
        to.filter(rows, "sparse", np.frombuffer(taps, np.float32), start, lengths)


class MedianBlur(_Sized):
    """Median of a square.

    Args:
        blur_limit: range of the square's side, odd, 3 to 255; a number n means (3, n).
        p: probability, per sample.

    Shapes and dtypes: any; borders replicate. Sides 3 and 5 sort, larger ones count bit by bit: up to 15 that is faster than
    OpenCV for uint8 and about twice that in time for float32, beyond it grows with the area (31: 20 ms for 224x224x3).
    Targets: image. Source: albumentations ``MedianBlur``, ``cv2.medianBlur``, which rounds floats to 1/255; here they are exact.

    Raises:
        ValueError: a range whose ends are out of order or beyond 255.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.MedianBlur((3, 3), p=1)])(np.array([[0, 9, 0]], np.uint8))
        array([[0, 0, 0]], dtype=uint8)
    """

    def __init__(self, blur_limit: IntRange = (3, 7), p: float = 0.5):
        super().__init__(blur_limit, p)
        if self.blur_limit[1] > 255:
            raise ValueError(f"blur_limit must lie in [3, 255], got {blur_limit!r}")

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {"kernel": self._size(u[:, 0])}

    def lower(self, to, rows, params) -> None:
        to.rank(rows, "median", side=params["kernel"])
