"""imgaug's blurs, and other correlations."""

from __future__ import annotations

import numpy as np

from ...checks import WIDEST, is_number
from ...transform import Transform
from ...transforms import blur
from ...transforms._taps import points
from .augmenter import Augmenter
from .values import Value


def blur_size(sigma: np.ndarray) -> np.ndarray:
    """The odd size of the window of a Gaussian blur."""
    reach = np.where(sigma < 3, 3.3, np.where(sigma < 5, 2.9, 2.6))
    return np.maximum(reach * sigma, 5).astype(np.int64) | 1


class GaussianBlur(Augmenter, blur.GaussianBlur):
    """Gaussian blur.

    Args:
        sigma: its standard deviation, pixels, at least 0: a number, a tuple (low, high), uniform, or a list to choose from; for
            each image. Up to 0.001 the image stays. The window is 3.3 sigma wide (2.9 from 3 on, 2.6 from 5 on), at least 5.
        seed, name, random_state, deterministic: see `Augmenter`.

    Shapes and dtypes: any; borders reflect (101); uint8 is rounded. Targets: image. Source: imgaug ``GaussianBlur``, with the
    weights of ``cv2.GaussianBlur`` as floats: up to 1 off on uint8.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.GaussianBlur(1.0)(image=np.eye(5, dtype=np.uint8) * 100)[2].tolist()
        [19, 24, 29, 24, 19]
    """

    def __init__(self, sigma=(0.0, 3.0), seed=None, name=None, random_state=None, deterministic=False):
        Transform.__init__(self, 1.0)
        self.sigma, self._sigma = sigma, Value("sigma", sigma, 0, 1000)
        self._begin(seed, name, random_state, deterministic)

    def draw(self, u, view):
        sigma = self._sigma(u[:, 0]).astype(np.float64)
        still = sigma <= 1e-3
        return {"sigma": np.where(still, 0.0, sigma), "ksize": np.where(still, 0, blur_size(sigma))}


class AverageBlur(Augmenter, Transform):
    """Mean of a rectangle.

    Args:
        k: its side, pixels: a number, or (low, high), whole numbers, both inclusive; or two of those, for width and height.
            0 and 1 leave the image as it is.
        seed, name, random_state, deterministic: see `Augmenter`.

    Shapes and dtypes: any; borders reflect (101); uint8 is rounded; an even side has one more pixel to the left, and above.
    Targets: image. Source: imgaug ``AverageBlur``, ``cv2.blur``, whose first size is the width, as it is there.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.AverageBlur(3)(image=np.array([[0, 9, 0]], np.uint8))
        array([[6, 3, 6]], dtype=uint8)
    """

    stencil = True

    def __init__(self, k=(1, 7), seed=None, name=None, random_state=None, deterministic=False):
        super().__init__(1.0)
        self.k = k
        pair = isinstance(k, (tuple, list)) and len(k) == 2
        if not is_number(k) and not pair:
            raise TypeError(f"k must be a number, (low, high), or two of those for width and height, got {k!r}")
        if pair and not all(is_number(side) for side in k):
            each = [side if is_number(side) else tuple(side) for side in k]
        else:
            each = [tuple(k) if pair else k]
        self._sides = [Value("k", side, 0, WIDEST - 1, whole=True) for side in each]
        self._begin(seed, name, random_state, deterministic)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        x = self._sides[0](u[:, 0])
        y = x if len(self._sides) == 1 else self._sides[1](u[:, 1])
        none = (x == 0) | (y == 0)
        return {"side": np.where(none[:, None], 1, np.stack([y, x], 1))}

    def lower(self, to, rows, params) -> None:
        side = params["side"]
        length = side | 1  # an even one has a weight of 0 behind it
        most = int(length.max(initial=1))
        place = np.arange(most)
        ones = (place < side[..., None]).astype(np.float32)  # [n, 2, most]
        taps = np.zeros((len(side), 2 * most), np.float32)
        taps[:, :most] = ones[:, 0]
        np.put_along_axis(taps, place + length[:, :1], ones[:, 1], 1)
        to.filter(rows, "separable", taps.ravel(), np.arange(len(side)) * 2 * most, length, scale=1.0 / side.prod(1))


class MedianBlur(Augmenter, blur.MedianBlur):
    """Median of a square.

    Args:
        k: its side, odd: a number, a tuple (low, high), whole numbers, both inclusive, of which even ones grow by one, or a
            list to choose from. 1 leaves the image as it is.
        seed, name, random_state, deterministic: see `Augmenter`.

    Shapes and dtypes: any; borders replicate. Targets: image. Source: imgaug ``MedianBlur``, ``cv2.medianBlur``.

    Raises:
        ValueError: an even number, or one above 255.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.MedianBlur(3)(image=np.array([[0, 9, 0]], np.uint8))
        array([[0, 0, 0]], dtype=uint8)
    """

    def __init__(self, k=(1, 7), seed=None, name=None, random_state=None, deterministic=False):
        Transform.__init__(self, 1.0)
        self.k, self._k = k, Value("k", k, 1, 255, whole=True)
        if (self._k.numbers % 2 == 0).any():
            raise ValueError(f"k must be odd, got {k!r}; add or subtract 1")
        self._begin(seed, name, random_state, deterministic)

    def draw(self, u, view):
        return {"kernel": self._k(u[:, 0]) | 1}

    def lower(self, to, rows, params) -> None:
        some = params["kernel"] > 1
        if some.any():
            to.rank(rows if some.all() else to.index(rows)[some], "median", side=params["kernel"][some])


class MotionBlur(Augmenter, Transform):
    """Mean along a line through each pixel.

    Args:
        k: its length, pixels, at least 3: a number, a tuple (low, high), whole numbers, both inclusive, or a list to choose from;
            even ones grow by one.
        angle: degrees, clockwise from above: the same, of real numbers.
        direction: in [-1, 1], the same: 1 weighs one end, -1 the other, 0 all alike.
        order: how the line is turned: 0 nearest, 1 linear.
        seed, name, random_state, deterministic: see `Augmenter`.

    Shapes and dtypes: any; borders reflect (101); uint8 is rounded. Targets: image. Source: imgaug ``MotionBlur``,
    ``cv2.filter2D``; the line's weights are bytes, as there.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.MotionBlur(3, angle=90, direction=0.0)(image=np.array([[0, 9, 0]], np.uint8))
        array([[6, 3, 6]], dtype=uint8)
    """

    stencil = True

    def __init__(
        self,
        k=(3, 7),
        angle=(0, 360),
        direction=(-1.0, 1.0),
        order=1,
        seed=None,
        name=None,
        random_state=None,
        deterministic=False,
    ):
        super().__init__(1.0)
        self.k, self.angle, self.direction, self.order = k, angle, direction, order
        self._k, self._angle = Value("k", k, 3, WIDEST - 1, whole=True), Value("angle", angle)
        self._direction = Value("direction", direction, -1, 1)
        if order not in (0, 1):
            raise ValueError(f"order must be 0 (nearest) or 1 (linear), got {order!r}")
        self._begin(seed, name, random_state, deterministic)

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        return {
            "ksize": self._k(u[:, 0]) | 1,
            "angle": self._angle(u[:, 1]).astype(np.float64),
            "direction": self._direction(u[:, 2]).astype(np.float64),
        }

    def lower(self, to, rows, params) -> None:
        each = zip(params["ksize"].tolist(), params["angle"].tolist(), params["direction"].tolist())
        points(to, rows, [_line(*one, self.order) for one in each], clip=False)


def _line(k: int, angle: float, direction: float, order: int) -> np.ndarray:
    """Weights ``[k, k]``: a column of bytes in the middle, turned about it as ``cv2.warpAffine`` of OpenCV 4 does, which knows
    places to 1/1024, and to 1/32 pixel where it interpolates."""
    share, half = (direction + 1) / 2, k // 2
    column = (np.linspace(share, 1 - share, k).astype(np.float32) * 255).astype(np.uint8).astype(np.float64)
    at, steps = np.arange(k), 1024
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    x = np.rint(cos * at * steps) + np.rint((sin * at[:, None] + half * (1 - cos - sin)) * steps)
    y = np.rint(-sin * at * steps) + np.rint((cos * at[:, None] + half * (1 - cos + sin)) * steps)

    def read(at_x, at_y):
        return np.where((at_x == half) & (at_y >= 0) & (at_y < k), column[np.clip(at_y, 0, k - 1).astype(np.int64)], 0)

    if order == 0:
        weights = read(np.floor((x + steps / 2) / steps), np.floor((y + steps / 2) / steps))
    else:
        (x0, fx), (y0, fy) = (np.divmod(np.floor((each + 16) / 32), 32) for each in (x, y))
        weights = sum(abs(1 - dx - fx / 32) * abs(1 - dy - fy / 32) * read(x0 + dx, y0 + dy) for dx in (0, 1) for dy in (0, 1))
        weights = np.floor(weights + 0.5)
    return weights / weights.sum()


class Sharpen(Augmenter, Transform):
    """Sharpen: add what a pixel differs by from its eight neighbours.

    Args:
        alpha: the share of the sharpened image, in [0, 1]. lightness: what the middle weight has above 8, at least 0. Each a
            number, a tuple (low, high), uniform, or a list to choose from; for each image.
        seed, name, random_state, deterministic: see `Augmenter`.

    Shapes and dtypes: any; borders reflect (101); uint8 is rounded and clipped, floats are not. Targets: image. Source: imgaug
    ``Sharpen``, ``cv2.filter2D``.

    Example:
        >>> import numpy as np
        >>> import gpuaug.interop.imgaug as iaa
        >>> iaa.Sharpen(0.5, 1.0)(image=np.array([[50, 50, 60, 60]], np.uint8))
        array([[50, 35, 75, 60]], dtype=uint8)
    """

    stencil = True

    def __init__(self, alpha=(0.0, 0.2), lightness=(0.8, 1.2), seed=None, name=None, random_state=None, deterministic=False):
        super().__init__(1.0)
        self.alpha, self.lightness = alpha, lightness
        self._alpha, self._lightness = Value("alpha", alpha, 0, 1), Value("lightness", lightness, 0)
        self._begin(seed, name, random_state, deterministic)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        return {"alpha": self._alpha(u[:, 0]).astype(np.float64), "lightness": self._lightness(u[:, 1]).astype(np.float64)}

    def lower(self, to, rows, params) -> None:
        alpha = params["alpha"]
        kernels = np.repeat(-alpha, 9).reshape(-1, 3, 3)
        kernels[:, 1, 1] = 1 - alpha + alpha * (8 + params["lightness"])
        points(to, rows, kernels, clip=False)
