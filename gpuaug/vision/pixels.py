"""Blur, noise, erasing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..checks import boolean, is_number, real
from ..hints import Fill, Range
from ..transforms.dropout import fill_holes
from ..uniforms import between, integers, key
from .arguments import numbers, ordered, sides
from .base import Vision


class GaussianBlur(Vision):
    """Blur by a Gaussian.

    Args:
        kernel_size: of its weights along x and y, odd; a number for both.
        sigma: (least, most) of its standard deviation, pixels; a number is fixed.

    Shapes and dtypes: any; uint8 is rounded. Borders reflect without the outermost pixel. Targets: image. Source: torchvision
    ``GaussianBlur``.

    Raises:
        ValueError: an even size, a sigma of 0; an image that is no larger than half of a side (at the first batch).

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.GaussianBlur(3)(torch.ones(1, 4, 4)).shape
        torch.Size([1, 4, 4])
    """

    stencil = True

    def __init__(self, kernel_size: int | Sequence[int], sigma: Range = (0.1, 2.0)):
        super().__init__(1.0)
        self.kernel_size, self.sigma = kernel_size, sigma
        self._sides = sides(kernel_size, "kernel_size")
        if any(side % 2 == 0 for side in self._sides):
            raise ValueError(f"kernel_size must be odd, got {kernel_size!r}")
        found = numbers("sigma", [sigma] if is_number(sigma) else sigma, 0, 1e4, above=True, counts=(1, 2))
        self._sigma = ordered("sigma", (found[0], found[-1]), 0, above=True)

    def columns(self) -> int:
        return 1

    def draw(self, u, view):
        return {"sigma": between(u[:, 0], *self._sigma)}

    def lower(self, to, rows, params) -> None:
        across, down = self._sides
        size = to.sizes(rows)
        short = (size <= (down // 2, across // 2)).any(1)
        if short.any():
            i = int(to.index(rows)[short.argmax()])
            raise ValueError(
                f"GaussianBlur: kernel_size={self.kernel_size!r} reaches beyond the reflection of sample {i} of the batch, "
                f"{tuple(size[short.argmax()].tolist())}; make it smaller, or resize first"
            )
        taps = np.concatenate([_weights(side, params["sigma"]) for side in (down, across)], 1)
        n = len(taps)
        to.filter(rows, "separable", taps.ravel(), np.arange(n) * (down + across), np.full((n, 2), (down, across)))


def _weights(side: int, sigma: np.ndarray) -> np.ndarray:
    """exp(-x^2 / (2 sigma^2)), of which the sum is 1: ``[n, side]``."""
    at = np.arange(side) - side // 2
    log = -((at / sigma[:, None]) ** 2) / 2
    taps = np.exp(log)
    return (taps / taps.sum(1, keepdims=True)).astype(np.float32)


class GaussianNoise(Vision):
    """Add normal noise.

    Args:
        mean, sigma: of the noise, for images of 0..1; times 255 for uint8, where it is cut off to whole numbers.
        clip: float images to 0..1. uint8 always is, and must be.

    Shapes and dtypes: any. Targets: image. Source: torchvision ``GaussianNoise``.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.GaussianNoise()(torch.zeros(3, 4, 4)).shape
        torch.Size([3, 4, 4])
    """

    ops = ("gauss", "linear")

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True):
        super().__init__(1.0)
        self.mean, self.sigma, self.clip = real("mean", mean), real("sigma", sigma, 0), boolean("clip", clip)

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        return {"key": key(u)}

    def lower(self, to, rows, params) -> None:
        if to.is_u8 and not self.clip:
            raise ValueError(
                "GaussianNoise: clip=False lets uint8 images overflow; put ToDtype(torch.float32, scale=True) before it"
            )
        scale = 255 if to.is_u8 else 1
        how = {"width": to.sizes(rows)[:, 1], "alike": False, "whole": to.is_u8}
        to.op(rows, "gauss", key=params["key"], sigma=self.sigma * scale, mean=self.mean * scale, **how)
        if self.clip and not to.is_u8:
            to.op(rows, "linear", factor=1.0, offset=0.0, low=0.0, high=1.0)


_TRIES = 10


class RandomErasing(Vision):
    """Fill a rectangle.

    Args:
        p: probability, per sample.
        scale: (least, most) area, as a fraction of the image's. ratio: the same of height / width, drawn log-uniformly.
        value: a number, one for each channel, or "random": normal numbers, of float images alone.
        inplace: has no effect: inputs are never written.

    Ten tries; if none lies inside the image nothing is erased.

    Shapes and dtypes: any. Targets: image; masks, boxes and keypoints stay as they are, as torchvision's.
    Source: torchvision ``RandomErasing``.

    Raises:
        ValueError: "random" for uint8 images, which torchvision makes bytes of -1, 0 and 1.

    Example:
        >>> import torch, gpuaug.vision as T
        >>> T.RandomErasing(p=1)(torch.ones(3, 8, 8)).min().item()
        0.0
    """

    ops = ("rects",)

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: Fill = 0,
        inplace: bool = False,
    ):
        super().__init__(p)
        self.scale, self.ratio = ordered("scale", scale, 0, 1), ordered("ratio", ratio, 0, above=True)
        if isinstance(value, str) and value != "random":
            raise ValueError(f"value must be a number, one for each channel, or 'random', got {value!r}")
        self.value, self.inplace = value, boolean("inplace", inplace)
        if not isinstance(value, str):
            many = value if isinstance(value, (tuple, list)) else [value]
            self._fill = [real("value", each) for each in many]

    def columns(self) -> int:
        return 2 * _TRIES + 4

    def draw(self, u, view):
        size = view.size.astype(np.int64)[:, None]
        area = size.prod(2) * between(u[:, :_TRIES], *self.scale)
        ratio = np.exp(between(u[:, _TRIES : 2 * _TRIES], *np.log(self.ratio)))
        tried = np.rint(np.sqrt(np.stack([area * ratio, area / ratio], 2))).astype(np.int64)
        fits = (tried < size).all(2)
        first, rows = fits.argmax(1), np.arange(len(u))
        window = np.where(fits[rows, first, None], tried[rows, first], 0)
        place = integers(u[:, 2 * _TRIES : 2 * _TRIES + 2], 0, view.size - window)
        return {"window": np.concatenate([place, window], 1), "key": key(u[:, -2:])}

    def lower(self, to, rows, params) -> None:
        i, j, h, w = params["window"].T
        holes = np.stack([j, i, j + w, i + h], 1)[:, None]
        if self.value == "random":
            if to.is_u8:
                raise ValueError(
                    "RandomErasing: value='random' draws normal numbers, for float images; put ToTensor() or "
                    "ToDtype(torch.float32, scale=True) before it"
                )
            fill_holes(to, rows, holes, "normal", params["key"])
        else:
            fill_holes(to, rows, holes, tuple(self._fill))
