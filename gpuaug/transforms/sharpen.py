"""Sharpening."""

from __future__ import annotations

import numpy as np

from ..checks import increasing, integer, is_number
from ..uniforms import between
from .blur import _Sized

# cv2.getGaussianKernel(k, 0) of k = 3 to 9, which OpenCV has as numbers
_SMALL = {
    3: [0.25, 0.5, 0.25],
    5: [0.0625, 0.25, 0.375, 0.25, 0.0625],
    7: [0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125],
    9: [0.015625, 0.05078125, 0.1171875, 0.19921875, 0.234375, 0.19921875, 0.1171875, 0.05078125, 0.015625],
}


def gaussians(ksize: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Weights of ``cv2.GaussianBlur``, ``[n, most]``, of which a row's first ``ksize`` are set. Sigma 0: one of the size."""
    place = np.arange(ksize.max(initial=1))
    own = 0.3 * ((ksize - 1) * 0.5 - 1) + 0.8
    sigma = np.where(sigma > 0, sigma, own)[:, None]
    weights = np.exp(-((place - (ksize[:, None] - 1) / 2) ** 2) / (2 * sigma * sigma)) * (place < ksize[:, None])
    return weights / weights.sum(1, keepdims=True)


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

    def __init__(self, blur_limit=(3, 7), sigma_limit=0.0, alpha=(0.2, 0.5), threshold: int = 10, p: float = 0.5):
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
        for size, weights in _SMALL.items():
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
