"""Blurs."""

from __future__ import annotations

import math
import warnings

import numpy as np

from ..draw import between, integers
from ..transform import Transform, boolean, increasing, whole


def _odd_limit(value) -> tuple[int, int]:
    """Kernel sizes as an odd range of at least 3; a number n means (3, n)."""
    low, high = whole("blur_limit", (3, value) if isinstance(value, int) and value >= 3 else value, 0)
    fixed = tuple(max(3, v + 1 - v % 2) for v in (low, high))
    if fixed != (low, high):
        warnings.warn(f"blur_limit must hold odd sizes of at least 3; {(low, high)} is taken as {fixed}", UserWarning, stacklevel=4)
    return fixed


class _Sized(Transform):
    """A blur whose kernel size is an odd number drawn from a range."""

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

    Shapes and dtypes: any; borders reflect (101); uint8 is rounded. Targets: image. Source: albumentations ``Blur``, ``cv2.blur``.

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
        to.filter(rows, "separable", [np.ones(2 * int(n), np.float32) for n in k], np.stack([k, k], 1), scale=1.0 / (k * k))


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

    def __init__(self, blur_limit=0, sigma_limit=(0.5, 3.0), p: float = 0.5):
        super().__init__(p)
        self.blur_limit = whole("blur_limit", blur_limit, 0, 4095, scalar="zero")
        self.sigma_limit = increasing("sigma_limit", (0, sigma_limit) if isinstance(sigma_limit, (int, float)) else sigma_limit, 0, 1000)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        return {"sigma": between(u[:, 0], *self.sigma_limit), "ksize": integers(u[:, 1], *self.blur_limit)}

    @staticmethod
    def kernel(sigma: float, ksize: int) -> np.ndarray:
        """The weights along one axis, float64."""
        size = 2 * int(3.5 * sigma) + 1 if ksize == 0 else ksize + 1 - ksize % 2
        if sigma <= 0:
            return np.ones(1)
        x = np.arange(size) - size // 2
        weights = np.exp(-0.5 * (x / sigma) ** 2)
        return weights / weights.sum()

    def lower(self, to, rows, params) -> None:
        weights = [self.kernel(s, k).astype(np.float32) for s, k in zip(params["sigma"].tolist(), params["ksize"].tolist())]
        length = np.array([len(w) for w in weights])
        to.filter(rows, "separable", [np.concatenate([w, w]) for w in weights], np.stack([length, length], 1))


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

    def __init__(self, blur_limit=(3, 7), allow_shifted: bool = True, angle_range=(0, 360), direction_range=(-1.0, 1.0), p: float = 0.5):
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
    def points(ksize: int, angle: float, direction: float, shift) -> np.ndarray:
        """The line's pixels as offsets (dy, dx) from the kernel's centre, int ``[k, 2]``, each once."""
        half = ksize // 2
        start = -half * (1 - max(direction, 0.0))
        end = half * (1 + min(direction, 0.0))
        t = np.linspace(start, end, ksize)
        x = half + math.cos(math.radians(angle)) * t + shift[0] * half / 2
        y = half + math.sin(math.radians(angle)) * t + shift[1] * half / 2
        x, y = np.clip(np.rint(x), 0, ksize - 1), np.clip(np.rint(y), 0, ksize - 1)
        cells = np.unique((y * ksize + x).astype(int))
        return np.stack([cells // ksize - half, cells % ksize - half], 1)

    def lower(self, to, rows, params) -> None:
        taps = []
        for k, angle, direction, shift in zip(*(params[name].tolist() for name in ("ksize", "angle", "direction", "shift"))):
            cells = self.points(k, angle, direction, shift)
            taps.append(np.column_stack([cells, np.full(len(cells), 1.0 / len(cells))]).astype(np.float32))
        k = params["ksize"]
        to.filter(rows, "points", taps, np.stack([k, k, [len(t) for t in taps]], 1))
