"""Spatters of rain and mud."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..checks import integer, one_of, span
from ..hints import Colour, Range
from ..ragged import Ragged
from ..transform import Transform
from ..uniforms import between, key, ragged
from ._taps import gaussian

_COLOURS = {"rain": (238, 238, 175), "mud": (20, 42, 63)}


class Spatter(Transform):
    """Spatter the lens with rain or mud: blurred noise, above a threshold.

    Args:
        mean, std: ranges of mean and standard deviation of the noise, in [0, 1]; a number v means (0, v).
        gauss_sigma: range of the sigma of its blur, pixels, at least 0; a number v means (0, v).
        cutout_threshold: range of the threshold, in [0, 1]; a number v means (0, v).
        intensity: range of the opacity, in [0, 1]; a number v means (0, v).
        mode: ``"rain"`` adds light along the edges of drops, found on the host by OpenCV; ``"mud"`` covers.
        color: three numbers, 0..255; None: a light (rain) or a dark one (mud).
        p: probability, per sample.

    Shapes and dtypes: 3 channels; uint8 is rounded, float images are clipped to 0..1. Where no noise is above the threshold the
    image stays as it is; albumentations puts mud on a tenth of the pixels then. Targets: image. Source: albumentations
    ``Spatter``.

    Raises:
        ValueError: a range outside its bounds, another mode; images of other channel counts (at the first batch).
        ImportError: rain, where OpenCV is not installed.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> muddy = G.Compose([G.Spatter(mode="mud", p=1)], seed=0)(np.full((64, 64, 3), 200, np.uint8))
        >>> bool(100 < muddy.mean() < 200)
        True
    """

    ops = ("above", "gauss", "linear", "pattern", "splash")
    stencil = True

    def __init__(
        self,
        mean: Colour = (0.65, 0.65),
        std: Colour = (0.3, 0.3),
        gauss_sigma: Range = (2, 2),
        cutout_threshold: Range = (0.68, 0.68),
        intensity: Range = (0.6, 0.6),
        mode: str = "rain",
        color: Sequence[float] | None = None,
        p: float = 0.5,
    ):
        super().__init__(p)
        self.mean = span("mean", mean, 0, 1, scalar="zero")
        self.std = span("std", std, 0, 1, scalar="zero")
        self.gauss_sigma = span("gauss_sigma", gauss_sigma, 0, 100, scalar="zero")
        self.cutout_threshold = span("cutout_threshold", cutout_threshold, 0, 1, scalar="zero")
        self.intensity = span("intensity", intensity, 0, 1, scalar="zero")
        self.mode = one_of("mode", mode, tuple(_COLOURS))
        if color is not None and (not isinstance(color, (tuple, list)) or len(color) != 3):
            raise TypeError(f"color must be three numbers or None, got {color!r}")
        self.color = tuple(integer("color", v, 0, 255) for v in (color or _COLOURS[self.mode]))

    def columns(self) -> int:
        return 7

    def draw(self, u, view):
        names = ("mean", "std", "cutout_threshold", "gauss_sigma", "intensity")
        params = {name: between(u[:, k], *getattr(self, name)) for k, name in enumerate(names)}
        params["key"] = key(u[:, 5:7])
        if self.mode == "rain":
            sizes, parts = view.size.astype(np.int64), []
            noise = ragged(params["key"], (sizes.prod(1) + 1) // 2 * 2)
            for i, size in enumerate(sizes.tolist()):
                numbers = np.float32(params["mean"][i]) + np.float32(params["std"][i]) * _normal(noise.of(i), size)
                parts.append(_drops(numbers, params["gauss_sigma"][i], params["cutout_threshold"][i]).ravel())
            params["drops"] = Ragged.of_list(parts, np.empty(0, np.float32))
        return params

    def lower(self, to, rows, params) -> None:
        if to.channels != 3:
            raise ValueError(f"Spatter works on images of 3 channels, got {to.channels}")
        rain, width, u8 = self.mode == "rain", to.size[rows][:, 1], to.is_u8
        image = to.keep(rows)
        with to.working(rows, "float32"):
            to.op(rows, "linear", factor=0.0, offset=0.0, low=0.0, high=1.0)
            if rain:
                to.op(rows, "pattern", form=0, amount=1.0, width=width, whole=False, table=params["drops"])
            else:
                noise = {"key": params["key"], "sigma": params["std"], "mean": params["mean"]}
                to.op(rows, "gauss", **noise, width=width, alike=True, whole=False)
                sigma = params["gauss_sigma"]
                blur(to, rows, 2 * np.rint(3 * sigma).astype(np.int64) + 1, sigma)
                to.op(rows, "above", limit=params["cutout_threshold"])
                blur(to, rows, np.rint(8 * sigma + 1).astype(np.int64) | 1, sigma)
            most = to.reduce(rows, "moments")
        intensity = params["intensity"] * (0.9 if rain else 1.0)
        colour = np.float32(self.color) / 255
        to.op(rows, "splash", intensity=intensity, covers=0.0 if rain else 1.0, colour=colour, whole=u8, of=most, layers=(image,))


def _normal(u: np.ndarray, size) -> np.ndarray:
    """Normal numbers by pairs of uniforms (Box and Muller), in float32, which takes a fifth of the time of an inverse."""
    a, b = np.maximum(u, 2.0**-33).astype(np.float32).reshape(2, -1)
    r, angle = np.sqrt(-2 * np.log(a)), np.float32(2 * np.pi) * b
    return np.concatenate([r * np.cos(angle), r * np.sin(angle)])[: size[0] * size[1]].reshape(size)


def blur(to, rows, ksize: np.ndarray, sigma: np.ndarray) -> None:
    """A Gaussian for each sample; the border is repeated."""
    taps = [np.zeros(0, np.float32)]
    for k, s in zip(ksize.tolist(), sigma.tolist()):
        taps.append(np.float32(np.tile(gaussian(k, s) if s > 0 else np.eye(k)[k // 2], 2)))
    start = np.cumsum([len(each) for each in taps])[:-1]
    to.filter(rows, "separable", np.concatenate(taps), start, np.stack([ksize, ksize], 1), border=1)


def _drops(noise: np.ndarray, sigma: float, threshold: float) -> np.ndarray:
    """How much light drops have, 0..1: what lies near their edges, on a slope from the upper left."""
    try:
        import cv2
    except ImportError:
        raise ImportError("Spatter's rain needs OpenCV: pip install opencv-python-headless") from None
    repeat = {"borderType": cv2.BORDER_REPLICATE}
    k = int(2 * round(3 * sigma) + 1)
    liquid = cv2.GaussianBlur(noise, (k, k), sigmaX=sigma, sigmaY=sigma, **repeat)
    liquid = np.clip(np.where(liquid < threshold, 0, liquid) * 255, 0, 255).astype(np.uint8)
    away = cv2.distanceTransform(255 - cv2.Canny(liquid, 50, 150), cv2.DIST_L2, 5)
    away = cv2.GaussianBlur(np.minimum(away, 20), (3, 3), sigmaX=1, sigmaY=1, **repeat)
    # albumentations takes distances for fractions of 255: beyond one pixel all are alike
    near = cv2.equalizeHist(np.clip(np.rint(away * 255), 0, 255).astype(np.uint8)) / np.float32(255)
    slope = np.float32([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])
    lit = cv2.GaussianBlur(np.clip(cv2.filter2D(near, -1, slope), 0, 1), (5, 5), sigmaX=1.5, sigmaY=1.5, **repeat)
    light = liquid * lit
    most = light.max(initial=0)
    return (light / most if most > 0 else np.zeros_like(light)).astype(np.float32)
