"""Blurs that look elsewhere: frosted glass, and a zoom while the shutter is open."""

from __future__ import annotations

import numpy as np

from ..checks import integer, one_of, real, span
from ..hints import Range
from ..hosted import on_host
from ..library import load
from ..ragged import Ragged
from ..transform import Transform
from ..uniforms import between, key
from ._taps import bytes_gaussian, gaussian


class GlassBlur(Transform):
    """Look through frosted glass: pixels swap places with others nearby, between two blurs.

    Args:
        sigma: of the blurs, pixels, at least 0.
        max_delta: pixels are swapped with others at most so far away in each direction, at least 1.
        iterations: how often, at least 1.
        mode: ``"fast"``: all pixels at once. ``"exact"``: one after the other, from the lower right, so that a pixel may travel
            far; of images of several channels, as in albumentations 2.0.8, a pixel takes another's value and that one keeps it,
            of one channel they change places. It is done on the host.
        p: probability, per sample.

    Shapes and dtypes: any; what lies within max_delta of the border is not swapped from there. uint8 is rounded. Targets: image.
    Source: albumentations ``GlassBlur``.

    Raises:
        ValueError: numbers outside their bounds, another mode.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.GlassBlur(p=1)])(np.full((3, 3), 7, np.uint8)).tolist()
        [[7, 7, 7], [7, 7, 7], [7, 7, 7]]
    """

    ops = ("glass",)
    stencil = True

    def __init__(self, sigma: float = 0.7, max_delta: int = 4, iterations: int = 2, mode: str = "fast", p: float = 0.5):
        super().__init__(p)
        self.sigma = real("sigma", sigma, 0, 1000)
        self.max_delta = integer("max_delta", max_delta, 1, 1000)
        self.iterations = integer("iterations", iterations, 1, 1000)
        self.mode = one_of("mode", mode, ("fast", "exact"))

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        return {"key": key(u)}

    def lower(self, to, rows, params) -> None:
        h, w = to.size[rows].T
        k = round(self.sigma * (6 if to.is_u8 else 8) + 1) | 1
        taps = None
        if self.sigma > 0:
            taps = np.float32(np.tile(bytes_gaussian(k, self.sigma) if to.is_u8 else gaussian(k, self.sigma), 2))
        half = 2.0**-20 if to.is_u8 else 0.0  # OpenCV rounds a half up; sums lie 2^-16 apart
        if self.mode == "exact":
            return self._one_by_one(
                to, rows, params["key"], lambda: to.filter(rows, "separable", taps, 0, (k, k), scale=1 + half)
            )
        for step in range(-1, self.iterations + 1):
            if step in (-1, self.iterations):
                if taps is not None:
                    to.filter(rows, "separable", taps, 0, (k, k), scale=1 + half)
            else:
                image, seed = to.keep(rows), params["key"].copy()
                seed[:, 1] += np.uint32(0x9E3779B9 * step % 2**32)
                to.op(rows, "glass", key=seed, delta=self.max_delta, width=w, height=h, layers=(image,))

    def _one_by_one(self, to, rows, keys, blur) -> None:
        def change(k: int, image: np.ndarray) -> np.ndarray:
            image = np.ascontiguousarray(image)
            h, w, channels = image.shape
            how = (self.max_delta, self.iterations, *keys[k].tolist(), channels == 1)
            load().glass(image.ctypes.data, h, w, image.itemsize * channels, *how)
            return image

        if self.sigma > 0:
            blur()
        on_host(to, rows, change, "pixels that change places one after the other", threads=True)
        if self.sigma > 0:
            blur()


class ZoomBlur(Transform):
    """Zoom while the shutter is open: the mean of the image and its enlargements.

    Args:
        max_factor: range of the largest enlargement, at least 1; a number v means (1, v).
        step_factor: range of the step from one to the next, above 0; a number v means (0, v). Steps below 0.001 count as that.
        p: probability, per sample.

    Shapes and dtypes: any; uint8 is rounded once, float images keep their range. Targets: image.
    Source: albumentations ``ZoomBlur``.

    Raises:
        ValueError: a range outside its bounds.

    Example:
        >>> import numpy as np, gpuaug as G
        >>> G.Compose([G.ZoomBlur(p=1)])(np.full((3, 3), 7, np.uint8)).tolist()
        [[7, 7, 7], [7, 7, 7], [7, 7, 7]]
    """

    ops = ("zoom",)
    stencil = True

    def __init__(self, max_factor: Range = (1, 1.31), step_factor: Range = (0.01, 0.03), p: float = 0.5):
        super().__init__(p)
        self.max_factor = span("max_factor", max_factor, 1, 100, scalar="one")
        self.step_factor = span("step_factor", step_factor, 0, 100, scalar="zero")

    def columns(self) -> int:
        return 2

    def draw(self, u, view):
        step = np.maximum(between(u[:, 0], *self.step_factor), 1e-3)
        return {"step": step, "most": np.maximum(1 + step, between(u[:, 1], *self.max_factor))}

    def lower(self, to, rows, params) -> None:
        size = to.size[rows].astype(np.int64)
        step = params["step"]
        counts = np.ceil((params["most"] - 1.0) / step).astype(np.int64)  # as np.arange has it
        of = np.repeat(np.arange(len(size)), counts)
        factor = 1.0 + step[of] * (np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts))
        table = np.empty((len(of), 2, 4))
        for axis in (0, 1):  # x, y
            side = size[of, 1 - axis]
            window = np.ceil(side / factor).astype(np.int64)
            large = (window * factor).astype(np.int64)
            table[:, axis] = np.stack([window / large, (large - side) // 2 + 0.5, (side - window) // 2, window - 1], 1)
        to.op(rows, "zoom", whole=to.is_u8, table=Ragged(table.reshape(-1, 8), counts), layers=(to.keep(rows),))
