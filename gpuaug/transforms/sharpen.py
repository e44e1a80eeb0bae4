"""Sharpening."""

from __future__ import annotations

import numpy as np

from ..checks import increasing, integer, is_number, one_of, real
from ..hints import IntRange, Range
from ..transform import Transform
from ..uniforms import between
from ._taps import SMALL, bytes_gaussian, gaussians, points
from .blur import _Sized


class UnsharpMask(_Sized):
    """Sharpen: add the difference from a blurred image, where it is large.

    Args:
        blur_limit: range of the Gaussian's kernel size, odd, at least 3; a number n means (3, n).
        sigma_limit: range of its sigma, pixels; 0 stands for one of the kernel size, as ``cv2.GaussianBlur`` has it; a number v
            means (0, v).
        alpha: range of the factor on the difference, in [0, 1]; a number v means (0, v).
        threshold: only differences above it are added, on a scale of 0..255; where is blurred, too.
        p: probability, per sample.

    Shapes and dtypes: any; computed in float32 on 0..1 and clipped to it; uint8 is rounded once, at the end. Targets: image.
    Source: albumentations ``UnsharpMask``.

    Raises:
        ValueError: a range outside its bounds or out of order.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> edge = np.repeat(np.uint8([[50, 50, 50, 50, 200, 200, 200, 200]]), 8, 0)
        >>> G.Compose([G.UnsharpMask((3, 3), alpha=(0.5, 0.5), p=1)])(edge)[4].tolist()
        [50, 50, 50, 36, 214, 200, 200, 200]
    """

    ops = ("differs", "linear", "unsharp")

    def __init__(
        self,
        blur_limit: IntRange = (3, 7),
        sigma_limit: Range = 0.0,
        alpha: Range = (0.2, 0.5),
        threshold: int = 10,
        p: float = 0.5,
    ):
        super().__init__(blur_limit, p)
        self.sigma_limit = increasing("sigma_limit", (0, sigma_limit) if is_number(sigma_limit) else sigma_limit, 0, 1000)
        self.alpha = increasing("alpha", (0, alpha) if is_number(alpha) else alpha, 0, 1)
        self.threshold = integer("threshold", threshold, 0, 255)

    def columns(self) -> int:
        return 3

    def draw(self, u, view):
        return {
            "ksize": self._size(u[:, 0]),
            "sigma": between(u[:, 1], *self.sigma_limit),
            "alpha": between(u[:, 2], *self.alpha),
        }

    def lower(self, to, rows, params) -> None:
        ksize, u8 = params["ksize"], to.is_u8
        taps = gaussians(ksize, params["sigma"])
        for size, weights in SMALL.items():
            known = (ksize == size) & (params["sigma"] == 0)
            if known.any():
                taps[known, :size] = weights
        most = taps.shape[1]
        # weights along y, then along x: a row's first ksize twice
        twice = np.zeros((len(ksize), 2 * most), np.float32)
        twice[:, :most] = taps
        np.put_along_axis(twice, np.arange(most) + ksize[:, None], taps.astype(np.float32), 1)
        blur = ("separable", twice.ravel(), np.arange(len(ksize)) * 2 * most, np.stack([ksize, ksize], 1))
        with to.working(rows, "float32"):
            if u8:
                to.op(rows, "linear", factor=1 / 255, offset=0.0, low=0.0, high=1.0)
            image = to.keep(rows)
            to.filter(rows, *blur)
            blurred = to.keep(rows)
            to.op(rows, "differs", threshold=self.threshold, layers=(image,))
            to.filter(rows, *blur)
        to.op(rows, "unsharp", alpha=params["alpha"], whole=u8, layers=(image, blurred))


class Sharpen(Transform):
    """Sharpen: add what a pixel differs by from its neighbours.

    Args:
        alpha: range of the strength, in [0, 1].
        lightness: range of what the middle weight of "kernel" has above 8, at least 0.
        method: ``"kernel"``, a mix of the image and its correlation with a 3 x 3 kernel; ``"gaussian"``, the image and alpha
            times its difference from a Gaussian blur.
        kernel_size: of the blur, odd (even sizes grow by one), at least 3.
        sigma: of the blur, pixels, above 0.
        p: probability, per sample.

    Shapes and dtypes: any; uint8 is rounded ("kernel") or cut off ("gaussian"), float images are clipped to 0..1. In
    albumentations' "gaussian" differences of bytes wrap around at 0, which makes noise of dark sides of edges; here they are
    what they are. Targets: image. Source: albumentations ``Sharpen``.

    Raises:
        ValueError: a range outside its bounds or out of order, another method, a kernel below 3, sigma 0 or below.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Sharpen((0.5, 0.5), (1, 1), p=1)])(np.uint8([[50, 50, 60, 60]]))
        array([[50, 35, 75, 60]], dtype=uint8)
    """

    ops = ("linear", "sharpen")
    stencil = True

    def __init__(
        self,
        alpha: Range = (0.2, 0.5),
        lightness: Range = (0.5, 1.0),
        method: str = "kernel",
        kernel_size: int = 5,
        sigma: float = 1.0,
        p: float = 0.5,
    ):
        super().__init__(p)
        self.alpha = increasing("alpha", alpha, 0, 1)
        self.lightness = increasing("lightness", lightness, 0)
        self.method = one_of("method", method, ("kernel", "gaussian"))
        size = integer("kernel_size", kernel_size, 3, 255)
        self.kernel_size = size + 1 - size % 2
        self.sigma = real("sigma", sigma, 0, 1000, above=True)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        return {"alpha": between(u[:, 0], *self.alpha), "lightness": between(u[:, 1], *self.lightness)}

    def lower(self, to, rows, params) -> None:
        alpha = params["alpha"]
        if self.method == "kernel":
            kernels = np.full((len(alpha), 3, 3), -1.0) * alpha[:, None, None]
            kernels[:, 1, 1] = (1 - alpha) + alpha * (8 + params["lightness"])
            points(to, rows, kernels)
            return
        k = self.kernel_size
        taps = bytes_gaussian(k, self.sigma) if to.is_u8 else gaussians(np.array([k]), np.array([self.sigma]))[0]
        image = to.keep(rows)
        # of bytes OpenCV rounds a half up; sums lie 2^-16 apart
        to.filter(rows, "separable", np.float32(np.tile(taps, 2)), 0, (k, k), scale=1 + 2.0**-20 if to.is_u8 else 1.0)
        to.op(rows, "sharpen", alpha=alpha, whole=to.is_u8, layers=(image,))


class Emboss(Transform):
    """Emboss: light falls from the upper left.

    Args:
        alpha: range of the share of the embossed image, in [0, 1].
        strength: range of how deep it is, at least 0.
        p: probability, per sample.

    Shapes and dtypes: any; borders reflect (101); uint8 is rounded, float images are clipped to 0..1. Targets: image.
    Source: albumentations ``Emboss``, ``cv2.filter2D``.

    Raises:
        ValueError: a range outside its bounds or out of order.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.Emboss((0.5, 0.5), (0.2, 0.2), p=1)])(np.uint8([[50, 50, 60, 60]]))
        array([[50, 57, 67, 60]], dtype=uint8)
    """

    ops = ("linear",)
    stencil = True

    def __init__(self, alpha: Range = (0.2, 0.5), strength: Range = (0.2, 0.7), p: float = 0.5):
        super().__init__(p)
        self.alpha = increasing("alpha", alpha, 0, 1)
        self.strength = increasing("strength", strength, 0)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        return {"alpha": between(u[:, 0], *self.alpha), "strength": between(u[:, 1], *self.strength)}

    def lower(self, to, rows, params) -> None:
        alpha, s = params["alpha"][:, None, None], params["strength"][:, None, None]
        slope = np.array([[-1, -1, 0], [-1, 0, 1], [0, 1, 1]])
        corners, still = np.diag([-1, 0, 1]), np.diag([0, 1, 0])
        points(to, rows, alpha * (corners + slope * s) + still)
