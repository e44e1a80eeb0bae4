"""Blurs."""

from __future__ import annotations

import warnings

import numpy as np

from ..draw import between, integers
from ..transform import Transform, boolean, increasing, whole


def _odd_limit(value) -> tuple[int, int]:
    """Kernel sizes as an odd range of at least 3; a number n means (3, n)."""
    low, high = whole("blur_limit", (3, value) if isinstance(value, int) and value >= 3 else value, 0)
    fixed = tuple(max(3, v + 1 - v % 2) for v in (low, high))
    if fixed != (low, high):
        warnings.warn(f"blur_limit must hold odd sizes of at least 3; {(low, high)} is taken as {fixed}", UserWarning,
                      stacklevel=4)
    return fixed


class _Sized(Transform):
    """A blur whose kernel size is an odd number drawn from a range."""

    stencil = True

    def __init__(self, blur_limit, p):
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

    def __init__(self, blur_limit=(3, 7), p: float = 0.5):
        super().__init__(blur_limit, p)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {"kernel": self._size(u[:, 0])}

    def lower(self, to, rows, params) -> None:
        k = params["kernel"]
        ones = np.ones(2 * int(k.max(initial=0)), np.float32)  # the weights of all sizes
        to.filter(rows, "separable", ones, 0, np.stack([k, k], 1), scale=1.0 / (k * k))


class GaussianBlur(Transform):
    """Gaussian blur.

    Args:
        blur_limit: range of the kernel size, pixels; 0 derives it from sigma (``2 * int(3.5 sigma) + 1``), even sizes grow by
            one, a number n means (0, n).
        sigma_limit: range of sigma, pixels; a number v means (0, v). Sigma 0 leaves the image as it is.
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

    def __init__(self, blur_limit=0, sigma_limit=(0.5, 3.0), p: float = 0.5):
        super().__init__(p)
        self.blur_limit = whole("blur_limit", blur_limit, 0, 4095, scalar="zero")
        sigmas = (0, sigma_limit) if isinstance(sigma_limit, (int, float)) else sigma_limit
        self.sigma_limit = increasing("sigma_limit", sigmas, 0, 1000)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        return {"sigma": between(u[:, 0], *self.sigma_limit), "ksize": integers(u[:, 1], *self.blur_limit)}

    @staticmethod
    def kernels(sigma: np.ndarray, ksize: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights along one axis, float64 ``[n, k]``, each centred in its line, zeros around; and their lengths ``[n]``."""
        size = np.where(ksize == 0, 2 * (3.5 * sigma).astype(np.int64) + 1, ksize + 1 - ksize % 2)
        size = np.where(sigma > 0, size, 1)
        half = int(size.max(initial=1)) // 2
        x = np.arange(-half, half + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = np.where(np.abs(x) <= size[:, None] // 2, np.exp(-0.5 * (x / sigma[:, None]) ** 2), 0.0)
        weights[sigma <= 0] = x == 0  # sigma 0: the identity
        return weights / weights.sum(1, keepdims=True), size

    def lower(self, to, rows, params) -> None:
        weights, size = self.kernels(params["sigma"], params["ksize"])
        width, size_ = weights.shape[1], size[:, None]
        # y weights, then the same x weights, without the zeros around them
        column = np.arange(2 * width)
        source = np.where(column < size_, column, column - size_) + width // 2 - size_ // 2
        taps = weights.astype(np.float32)[np.arange(len(size))[:, None], np.minimum(source, width - 1)]
        to.filter(rows, "separable", taps, 2 * width * np.arange(len(size)), np.stack([size, size], 1))


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

    def __init__(self, blur_limit=(3, 7), allow_shifted: bool = True, angle_range=(0, 360), direction_range=(-1.0, 1.0),
                 p: float = 0.5):
        super().__init__(blur_limit, p)
        self.allow_shifted = boolean("allow_shifted", allow_shifted)
        self.angle_range = increasing("angle_range", angle_range, 0, 360)
        self.direction_range = increasing("direction_range", direction_range, -1, 1)

    def columns(self) -> int:
        return 5

    def draw(self, u, view):
        shift = between(u[:, 3:5], -1.0, 1.0) if self.allow_shifted else np.zeros((len(u), 2))
        return {"ksize": self._size(u[:, 0]), "angle": between(u[:, 1], *self.angle_range),
                "direction": between(u[:, 2], *self.direction_range), "shift": shift}

    @staticmethod
    def lines(ksize, angle, direction, shift) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The pixels of ``n`` lines: (line, dy, dx), each pixel once, lines in order, offsets from the kernel's centre."""
        half = ksize // 2
        start, end = -half * (1 - np.maximum(direction, 0.0)), half * (1 + np.minimum(direction, 0.0))
        most = int(ksize.max(initial=1))
        step = np.arange(most)
        # shorter lines repeat their last point
        t = start[:, None] + (end - start)[:, None] * (np.minimum(step, ksize[:, None] - 1) / (ksize[:, None] - 1))
        radians, limit = np.deg2rad(angle)[:, None], ksize[:, None] - 1
        x = np.rint(half[:, None] + np.cos(radians) * t + shift[:, 0:1] * half[:, None] / 2)
        y = np.rint(half[:, None] + np.sin(radians) * t + shift[:, 1:2] * half[:, None] / 2)
        x, y = np.clip(x, 0, limit).astype(np.int64), np.clip(y, 0, limit).astype(np.int64)
        hit = np.zeros((len(ksize), most, most), bool)
        hit[np.arange(len(ksize))[:, None], y, x] = True
        line, y, x = np.nonzero(hit)
        return line, y - half[line], x - half[line]

    def lower(self, to, rows, params) -> None:
        k = params["ksize"]
        line, dy, dx = self.lines(k, params["angle"], params["direction"], params["shift"])
        count = np.bincount(line, minlength=len(k))
        taps = np.stack([dy, dx, 1.0 / count[line]], 1)
        to.filter(rows, "points", taps, 3 * (np.cumsum(count) - count), np.stack([k, k, count], 1))
